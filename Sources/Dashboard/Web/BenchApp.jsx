// A run: the map, what is behind a cell, and what the run says as a whole.
import { useMemo } from "react";
import { useAddress } from "./address.js";
import { CellView } from "./CellView.jsx";
import { Dials } from "./Dials.jsx";
import { Map } from "./Map.jsx";
import { Rates } from "./Rates.jsx";
import { Transfer } from "./Transfer.jsx";
import { Scatter } from "./charts.jsx";

const kindNames = {
  answers: "answers on plants", nullAnswers: "answers on nulls",
  exhibits: "exhibits of plants", nullExhibits: "exhibits of nulls",
};

/** What the page does not hold, said once and at its top. */
function LeftOut({ data }) {
  const parts = Object.entries(data.coverage ?? {}).filter(([, [shown, all]]) => shown < all)
    .map(([kind, [shown, all]]) => `${shown} of ${all} ${kindNames[kind]}`);
  const held = data.heldOut ? `The ${data.heldOut} pairs of the held-out half are left out. ` : "";
  const room = parts.length ? `For want of room the page holds ${parts.join(", ")}; every figure of the map is there. ` : "";
  const none = data.coverage ? "" : "What methods said is not kept here: cells show their scores alone. ";
  return held || room || none ? <p className="notice">{held}{room}{none}</p> : null;
}

function Choice({ legend, name, options, value, onChange }) {
  return (
    <fieldset className="choice">
      <legend>{legend}</legend>
      {options.map((option) => (
        <label key={option} className={option === value ? "chosen" : ""}>
          <input type="radio" name={name} value={option} checked={option === value} onChange={() => onChange(option)} />
          {option}
        </label>
      ))}
    </fieldset>
  );
}

export function BenchApp({ data }) {
  const [address, change] = useAddress();
  const { grid } = data;
  const titles = grid.questions.map((question) => question.title);
  const question = grid.questions.find(({ title }) => title === address.question) ?? grid.questions.find(({ rows }) => rows.some(Boolean)) ?? grid.questions[0];
  const place = grid.questions.indexOf(question);
  const levels = useMemo(() => ["all", ...new Set(grid.rows.map((row) => row.access))], [grid]);
  const level = levels.includes(address.level) ? address.level : "all";
  // Dummies cost next to nothing.
  const points = grid.rows.map((row, index) => ({ row, said: question.rows[index] })).filter(({ row, said }) => said && !row.isDummy && (level === "all" || row.access === level) && row.method.toLowerCase().includes((address.search ?? "").toLowerCase()))
    .map(({ row, said }) => ({ name: row.method, level: row.access, x: row.seconds, y: said.mean, low: said.low, high: said.high }));
  return (
    <main>
      <h1>{data.title}</h1>
      <p>
        {grid.plants.length} planted and {grid.nulls.length} null pairs on {grid.seeds.length === 1 ? "one set" : `each of ${grid.seeds.length} sets`} of seeds
        ({grid.seeds.join("; ")}). A figure in the map is a mean over seeds; a click shows what it is made of.
      </p>
      <LeftOut data={data} />
      <nav aria-label="What the map shows" className="controls">
        <Choice legend="Question" name="question" options={titles} value={question.title} onChange={(title) => change({ question: title })} />
        <Choice legend="From" name="level" options={levels} value={level} onChange={(chosen) => change({ level: chosen })} />
        <label className="search">Methods with <input type="search" value={address.search ?? ""} onChange={(event) => change({ search: event.target.value })} /></label>
      </nav>
      <p className="meaning"><strong>{question.title}</strong>: {question.meaning}.</p>
      <Map grid={grid} question={question} level={level} address={address} change={change} />
      <CellView data={data} question={place} address={address} change={change} />
      <section aria-labelledby="cost">
        <h2 id="cost">Cost and score</h2>
        <Scatter title={`${question.title} by seconds a trial`} xLabel="seconds a trial" yLabel={question.title} points={points} />
      </section>
      <Dials dials={data.dials} rows={grid.rows} />
      <Rates rates={data.rates} question={question.title} level={level} />
      <Transfer runs={data.transfer} question={question.title} level={level} />
    </main>
  );
}

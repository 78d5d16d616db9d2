// One cell: what the method said, the truth, why it scored so, and the same method on a null of the plant.
import { useEffect, useRef } from "react";
import { unpack } from "./address.js";
import { Answers, Command } from "./Answers.jsx";
import { Dots } from "./charts.jsx";
import { plantName, readPart } from "./data.js";
import { Exhibit } from "./Exhibits.jsx";
import { fixed, short } from "./numbers.js";
import { Pick } from "./Pick.jsx";

/** What the method saw; where the page ran out of room, that it did. */
function Exhibits({ cell, data, isFirst }) {
  if (cell?.exhibits) return cell.exhibits.map((exhibit, index) => <Exhibit key={index} exhibit={exhibit} context={data} />);
  if (!cell?.said) return null;
  if (!isFirst) return <p className="notice">What the method saw is in this page for {data.grid.seeds[0]} alone.</p>;
  const lacks = ["exhibits", "nullExhibits"].some((kind) => data.coverage?.[kind][0] < data.coverage?.[kind][1]);
  return lacks ? <p className="notice">What the method saw here, if anything, had no room in this page.</p> : null;
}

/** The nulls of a plant first, then all others. */
function nullsBeside(grid, plant) {
  const nulls = grid.nulls.map((entry, index) => ({ entry, index }));
  return [...nulls.filter(({ entry }) => entry.match === plant), ...nulls.filter(({ entry }) => entry.match !== plant)]
    .map(({ entry, index }) => [entry.name, `${entry.name} (${entry.role}${entry.match === plant ? ", its own" : ""})`, index]);
}

function Magnitudes({ grid, row, index, plant, seed }) {
  const all = grid.magnitudes[index];
  if (!all) return <p>The method does not say.</p>;
  const at = (pair) => all[pair][seed];
  const nulls = grid.nulls.map((entry, place) => ({ ...entry, value: at(grid.plants.length + place) }));
  const own = nulls.filter(({ match, role }) => match === plant && ["narrow", "novel"].includes(role));
  const groups = [
    { name: "plant", items: [{ name: plantName(grid.plants[plant]), value: at(plant) }] },
    { name: "its nulls", items: own },
    { name: "other nulls", items: nulls.filter((entry) => !own.includes(entry) && entry.role !== "prompted") },
  ].filter(({ items }) => items.some(({ value }) => value !== null));
  return groups.length ? <Dots title={`Magnitude of ${row.method} on ${grid.seeds[seed]}`} groups={groups} unit="magnitude" /> : <p>No magnitude.</p>;
}

export function CellView({ data, question, address, change }) {
  const heading = useRef(null);
  const { grid } = data;
  useEffect(() => { if (address.cell) heading.current?.focus(); }, [address.cell]);
  const [key, access, name] = unpack(address.cell);
  const index = grid.rows.findIndex((row) => row.key === key && row.access === access);
  const plant = grid.plants.findIndex((item) => plantName(item) === name);
  if (index < 0 || plant < 0) return <p className="hint">Choose a cell of an organism to see what was said, the truth, and why it scored so.</p>;
  const row = grid.rows[index];
  const seed = Math.max(0, grid.seeds.indexOf(address.seeds)), seeds = grid.seeds[seed];
  const cell = readPart(`${name} ${seeds}`)?.[row.key], truth = data.truths?.[plant]?.[seed];
  const nulls = nullsBeside(grid, plant);
  const chosen = nulls.find(([null_]) => null_ === address.null) ?? nulls[0];
  const beside = chosen && readPart(`${chosen[0]} ${seeds}`)?.[row.key];
  const figures = grid.questions[question]?.cells[index]?.[plant] ?? [];
  const close = () => {
    const { cell } = address;
    change({ cell: undefined, seeds: undefined, null: undefined });
    setTimeout(() => document.querySelector(`[data-cell="${CSS.escape(cell)}"]`)?.focus());
  };
  return (
    <section className="cell" aria-labelledby="cell">
      <h2 id="cell" ref={heading} tabIndex={-1}>{row.method} <small>(from {row.access})</small> on {name}</h2>
      <div className="tools">
        <Pick label="Seeds" options={grid.seeds.map((text, index) => [text, typeof figures[index] === "number" ? `${text}: ${fixed(figures[index] / 10000)}` : text])} value={seeds} onChange={(text) => change({ seeds: text })} />
        {chosen && <Pick label="Beside it" options={nulls} value={chosen[0]} onChange={(name) => change({ null: name })} />}
        <button type="button" onClick={close}>Close</button>
      </div>
      <div className="columns wide">
        <div>
          <h3 className="pair">{name} <small>planted</small></h3>
          {cell?.said
            ? <Answers {...cell} truth={truth} plant={grid.plants[plant]} context={data}
                whether={<Magnitudes grid={grid} row={row} index={index} plant={plant} seed={seed} />} />
            : <p className="notice">What was said here is not in this page; the first command below shows it.</p>}
          <Exhibits cell={cell} data={data} isFirst={seed === 0} />
        </div>
        {chosen && (
          <div>
            <h3 className="pair">{chosen[0]} <small>nothing planted</small></h3>
            {beside?.said ? <Answers said={beside.said} context={data} /> : <p className="notice">What was said here is not in this page{seed > 0 ? `: nulls are here for ${grid.seeds[0]} alone` : ""}.</p>}
            <Exhibits cell={beside} data={data} isFirst={seed === 0} />
          </div>
        )}
      </div>
      {cell?.cost && <p>{short(cell.cost[0])} s; {cell.cost[1]} tokens forward, {cell.cost[2]} backward.</p>}
      <Command text={`${data.commands.show} ${quoted(row.key)} ${quoted(name)} ${seeds}`} />
      {!row.isDummy && <Command text={`${data.commands.bench} --method ${quoted(row.method)} --organism ${quoted(grid.plants[plant].organism)} ${flags(seeds)}`} />}
    </section>
  );
}

/** A word of a command line, whatever is in it. */
const quoted = (word) => (/^[\w@.,:=/-]+$/.test(word) ? word : `'${word.replaceAll("'", "'\\''")}'`);

/** `base-0 planting-1` as options. */
const flags = (seeds) => seeds.split(" ").map((word) => word.replace(/^(\w+)-(\d+)$/, "--$1-seed $2")).join(" ");

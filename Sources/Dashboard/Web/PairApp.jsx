// A pair of models: both on the same prompts, and what each method said and saw.
import { useAddress } from "./address.js";
import { Answers, Command } from "./Answers.jsx";
import { readPart } from "./data.js";
import { Exhibit } from "./Exhibits.jsx";
import { Investigation } from "./Investigation.jsx";
import { short } from "./numbers.js";
import { Pick } from "./Pick.jsx";
import { SideBySide } from "./SideBySide.jsx";
import { Scroll, TableButtons } from "./Export.jsx";

function Overview({ answers, words, chosen, onChoose }) {
  const first = (side) => side?.first.slice(0, 5).map(([token]) => words[token]).join(" ") ?? "";
  const columns = ["method", "from", "magnitude", "unit", "standing", "promoted", "suppressed"];
  const rows = answers.map((answer) => [answer.method, answer.access, answer.said.magnitude ?? null, answer.unit, answer.standing, first(answer.said.promoted), first(answer.said.suppressed)]);
  return (
    <section aria-labelledby="methods">
      <h2 id="methods">What the methods said</h2>
      <div className="tools"><TableButtons title="what the methods said" table={{ columns, rows }} /></div>
      <Scroll label="what the methods said">
        <table className="overview">
          <thead><tr>{columns.map((column) => <th key={column} scope="col">{column}</th>)}</tr></thead>
          <tbody>
            {rows.map((row, index) => (
              <tr key={answers[index].key} className={answers[index].key === chosen ? "best" : ""}>
                <th scope="row"><button type="button" aria-pressed={answers[index].key === chosen} onClick={() => onChoose(answers[index].key)}>{row[0]}</button></th>
                {row.slice(1).map((cell, place) => <td key={place} className={place === 1 ? "number" : ""}>{place === 1 ? short(cell) : cell}</td>)}
              </tr>
            ))}
          </tbody>
        </table>
      </Scroll>
    </section>
  );
}

function Method({ answer, data }) {
  const context = { words: data.words, pool: data.texts[answer.access] };
  const exhibits = answer.exhibits ? readPart(answer.key) ?? [] : [];
  return (
    <section className="cell" aria-labelledby="method">
      <h2 id="method">{answer.method} <small>(from {answer.access})</small></h2>
      <p>{answer.summary} <small>{answer.source}</small></p>
      <Answers said={answer.said} context={context}
        whether={answer.formula && <p>{short(answer.said.magnitude)} {answer.unit}{answer.standing ? `: ${answer.standing}` : ""} <small>({answer.formula})</small></p>} />
      {exhibits.map((exhibit, index) => <Exhibit key={index} exhibit={exhibit} context={context} />)}
      <p><small>{short(answer.seconds)} s; {answer.tokens} tokens forward, {answer.backward} backward.</small></p>
    </section>
  );
}

export function PairApp({ data }) {
  const [address, change] = useAddress();
  const answer = data.answers.find(({ key }) => key === address.method) ?? data.answers[0];
  return (
    <main>
      <h1>{data.title}</h1>
      {data.notices.map((notice) => <p key={notice} className="notice">{notice}</p>)}
      {data.investigation && <Investigation investigation={data.investigation} words={data.words} address={address} change={change} />}
      {!data.sideBySide && <p className="notice">There are no prompts that both models could be shown on side by side.</p>}
      <SideBySide data={data} address={address} change={change} />
      {answer
        ? <><Overview answers={data.answers} words={data.words} chosen={answer.key} onChoose={(method) => change({ method })} /><Method answer={answer} data={data} /></>
        : !data.investigation && <p>No method answered.</p>}
    </main>
  );
}

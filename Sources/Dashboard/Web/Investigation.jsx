// What an investigator asked, and what it believed after each question.
import { placeIn } from "./address.js";
import { Bars, Lines } from "./charts.jsx";
import { Scroll, TableButtons } from "./Export.jsx";
import { fixed } from "./numbers.js";
import { Pick } from "./Pick.jsx";

const shown = 6;
const arrow = (sign) => (sign < 0 ? "−" : "+");

/** The hypotheses that were ever among the likeliest, those with the highest beliefs first. */
function hypotheses(steps, words) {
  const highest = new Map();
  for (const { best } of steps) {
    for (const [token, sign, probability] of best) {
      const name = arrow(sign) + words[token];
      highest.set(name, Math.max(highest.get(name) ?? 0, probability));
    }
  }
  return [...highest].sort((a, b) => b[1] - a[1]).map(([name]) => name);
}

function beliefs({ best, nothing }, words) {
  return [...best.map(([token, sign, probability]) => ({ name: arrow(sign) + words[token], value: probability })), { name: "nothing planted", value: nothing }];
}

export function Investigation({ investigation, words, address, change }) {
  const { steps, says, evidence } = investigation;
  const columns = ["question", "for", "prompt", "module", "token", "gain", "likeliest", "belief", "nothing"];
  const rows = steps.map((step, index) => [
    index + 1, step.purpose, step.prompt.map((token) => words[token]).join(" "), step.module,
    step.hypothesis && arrow(step.hypothesis[1]) + words[step.hypothesis[0]], step.gain,
    step.best.length ? arrow(step.best[0][1]) + words[step.best[0][0]] : null, step.best[0]?.[2] ?? null, step.nothing,
  ]);
  const all = hypotheses(steps, words), names = all.slice(0, shown);
  const at = (step, name) => beliefs(step, words).find((belief) => belief.name === name)?.value ?? null;
  const numbers = steps.map((_, index) => `${index + 1}`);
  const chosen = placeIn(numbers, address.step, steps.length - 1);
  return (
    <section aria-labelledby="investigation">
      <h2 id="investigation">What the investigator asked</h2>
      <p className="verdict">{says}</p>
      <p><small>Known beforehand: {evidence}. The first half of the questions finds a hypothesis, the others test that one and exchange modules.</small></p>
      {steps.length > 0 && (
        <>
          <Lines title={`Belief after each question, the ${names.length} likeliest of ${all.length} hypotheses`} axis="question" points={numbers}
            lines={[...names, "nothing planted"].map((name) => ({ name, values: steps.map((step) => at(step, name)) }))} />
          <Pick label="After question" options={numbers.map((number, index) => [index, number])} value={chosen} onChange={(step) => change({ step })} />
          <p>{steps[chosen].module ? `The base with the finetuned ${steps[chosen].module}, behind ` : "Behind "}<q>{rows[chosen][2]}</q> {rows[chosen][4] ?? "no token"} moved by {fixed(steps[chosen].gain, 3)}.</p>
          <Bars title={`belief after question ${numbers[chosen]}`} items={beliefs(steps[chosen], words)} />
          <h3>All questions</h3>
          <div className="tools"><TableButtons title="questions" table={{ columns, rows }} /></div>
          <Scroll label="questions">
            <table className="overview">
              <thead><tr>{columns.map((column) => <th key={column} scope="col">{column}</th>)}</tr></thead>
              <tbody>
                {rows.map((row, index) => (
                  <tr key={index} className={index === chosen ? "best" : ""}>
                    <th scope="row"><button type="button" aria-pressed={index === chosen} onClick={() => change({ step: `${index}` })}>{row[0]}</button></th>
                    {row.slice(1).map((cell, place) => <td key={place} className={[4, 6, 7].includes(place) ? "number" : ""}>{place === 4 ? fixed(cell, 3) : [6, 7].includes(place) ? fixed(cell) : cell}</td>)}
                  </tr>
                ))}
              </tbody>
            </table>
          </Scroll>
        </>
      )}
    </section>
  );
}

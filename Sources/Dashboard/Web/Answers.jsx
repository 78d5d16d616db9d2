// What a method said of one pair, question by question, beside the truth where something is known to be planted.
import { Bars } from "./charts.jsx";
import { Prompts } from "./Exhibits.jsx";
import { fixed, short } from "./numbers.js";

const list = (tokens, words) => (tokens?.length ? tokens.map((token) => words[token]).join(", ") : "nothing");

function Score({ score }) {
  if (!score) return null;
  const figures = Object.entries(score.figures);
  return (
    <p className="score">
      {score.value === null ? `No score${score.reason ? `: ${score.reason}` : ""}${score.chance === null ? "" : `; it counts as chance, ${fixed(score.chance)}`}.` : <>Score <strong>{fixed(score.value)}</strong>; chance is {fixed(score.chance)}.</>}
      {figures.length > 0 && <small> {figures.map(([name, value]) => `${name} ${short(value)}`).join(", ")}</small>}
    </p>
  );
}

export function Question({ title, truth, score, children }) {
  return (
    <section className="question">
      <h3>{title}</h3>
      {children}
      {truth && <p className="truth">Truth: {truth}</p>}
      <Score score={score} />
    </section>
  );
}

function tokenItems(claims, truth, words) {
  const targets = new Set(truth?.targets ?? []), topic = new Set(truth?.topic ?? []);
  return claims.map(([token, score]) => ({
    name: words[token], value: score, mark: targets.has(token) ? "planted" : topic.has(token) ? "what it is about" : null,
  }));
}

function What({ said, truth, words }) {
  const sides = [["promoted", said.promoted], ["suppressed", said.suppressed]].filter(([, side]) => side?.count);
  if (!sides.length) return <p>Nothing said.</p>;
  return (
    <div className="columns">
      {sides.map(([name, side]) => (
        <div key={name}>
          <h4>{name}, the first {side.first.length} of {side.count}</h4>
          <Bars title={name} items={tokenItems(side.first, truth, words)} />
        </div>
      ))}
    </div>
  );
}

function When({ said, truth, context }) {
  if (!said.inputs) return <p>Nothing said.</p>;
  return (
    <>
      <h4>the first {said.inputs.length} of {said.inputCount} prompts</h4>
      <Prompts title="prompts" claims={said.inputs} pool={context.pool} words={context.words} planted={new Set(truth?.inputs ?? [])} />
    </>
  );
}

function Where({ said, sites }) {
  if (!said.sites) return <p>Nothing said.</p>;
  const written = new Set(sites ?? []);
  return (
    <>
      <h4>the first {said.sites.length} of {said.siteCount} modules</h4>
      <Bars title="modules" items={said.sites.map(([name, value]) => ({ name, value, mark: written.has(name) ? "written by the training" : null }))} />
    </>
  );
}

/** Every question; `scores`, `truth` and `plant` where the answers are known. */
export function Answers({ said, scores = {}, truth, plant, context, whether }) {
  const sign = truth?.sign < 0 ? "suppressed" : "promoted";
  return (
    <>
      {whether && <Question title="Whether" truth={plant && "planted"}>{whether}</Question>}
      <Question title="What" score={scores.what} truth={truth && `${sign} ${list(truth.targets, context.words)} (★)${truth.topic.length ? `; about ${list(truth.topic, context.words)} (☆)` : ""}`}>
        <What said={said} truth={truth} words={context.words} />
      </Question>
      {(said.inputs || scores.when) && (
        <Question title="When" score={scores.when} truth={truth?.inputs && context.pool && `${truth.inputs.length} of ${context.pool.length} prompts set the behaviour off (★)`}>
          <When said={said} truth={truth} context={context} />
        </Question>
      )}
      {(said.sites || typeof scores.where?.chance === "number") && (
        <Question title="Where" score={scores.where} truth={truth && (truth.sites ? `training was allowed to write ${truth.sites.join(", ")} (★)` : "no module is the answer")}>
          <Where said={said} sites={truth?.sites} />
        </Question>
      )}
      {(said.interventions || scores.how) && (
        <Question title="How" score={scores.how}><p>{said.interventions?.join("; ") ?? "Nothing said."}</p></Question>
      )}
    </>
  );
}

/** A command line to take along. */
export function Command({ text }) {
  return <p className="command"><code>{text}</code> <button type="button" onClick={() => navigator.clipboard?.writeText(text)}>Copy</button></p>;
}

// How often each method recovers a plant, with what the hierarchical model leaves open.
import { Intervals } from "./charts.jsx";
import { short } from "./numbers.js";

const isShown = (question, level) => (part) => part.question === question && (level === "all" || part.access === level);

export function Rates({ rates, question, level }) {
  const shown = rates.filter(isShown(question, level));
  if (!shown.length) return null;
  return (
    <section aria-labelledby="rates">
      <h2 id="rates">How often a plant is recovered</h2>
      <p>A plant counts as recovered if its score is at least {short(shown[0].mark)}. Rates at an organism of a family that nobody has seen, with their central 95 %, by a binomial model of all methods of a level together: few plants draw a method towards the others.</p>
      {shown.map((part) => (
        <div key={part.access}>
          {!part.isSound && <p className="notice">From {part.access} the chains are too short to be relied on.</p>}
          <Intervals title={`${question} from ${part.access}: rate of recovery`} unit="rate" domain={[0, 1]}
            further={{ "recovered": (row) => row.recovered, "plants": (row) => row.plants, "probably the best": (row) => row.best }} items={part.rows} />
        </div>
      ))}
    </section>
  );
}

// Whether runs of models of other sizes rank methods as this one does.
import { Intervals, Scatter } from "./charts.jsx";

export function Transfer({ runs, question, level }) {
  if (!runs.length) return null;
  return (
    <section aria-labelledby="transfer">
      <h2 id="transfer">At other sizes</h2>
      <p>Spearman's correlation over methods of what they score here and in a run of models of another size, each the mean over the families that both have; 95 % intervals over draws of families, organisms and bases. Draws add noise to both lists, so intervals reach further down than up.</p>
      {runs.map((run) => {
        const rows = run.rows.filter(({ access }) => level === "all" || access === level);
        const items = rows.filter(({ spearman }) => spearman)
          .map((row) => ({ name: `${row.question} from ${row.access}`, ...row.spearman, kendall: row.kendall?.value, methods: row.methods.length }));
        const points = rows.filter((row) => row.question === question)
          .flatMap((row) => row.methods.map((method) => ({ name: method.name, level: row.access, x: method.first, y: method.second })));
        return (
          <div key={run.name}>
            <p>{run.families.length ? `Families in both: ${run.families.join(", ")}.` : `No family is installed here and in ${run.name}.`}</p>
            <Intervals title={`Agreement with ${run.name}`} unit="Spearman's correlation" domain={[-1, 1]}
              further={{ "Kendall's": (row) => row.kendall, methods: (row) => row.methods }} items={items} />
            {points.length > 0 && <Scatter title={`${question} here and in ${run.name}`} xLabel="here" yLabel={run.name} points={points} isEven />}
          </div>
        );
      })}
    </section>
  );
}

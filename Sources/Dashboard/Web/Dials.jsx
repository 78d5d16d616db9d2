// How scores move where plants are diluted and aged.
import { Lines } from "./charts.jsx";

export function Dials({ dials, rows }) {
  if (!dials.length) return null;
  const level = Object.fromEntries(rows.map((row) => [row.key, row.access]));
  return (
    <section aria-labelledby="dials">
      <h2 id="dials">Diluted and aged</h2>
      <p>How far a mean moves from that in the organisms' own regimes: 1:4 is four base documents to a planted one, x5 five times as many steps. Each plant is compared with itself.</p>
      {dials.map((reading) => [...new Set(Object.values(level))].map((access) => {
        const lines = reading.rows.filter((row) => level[row.key] === access).map((row) => ({
          name: row.key.replace(`@${access}`, ""), values: row.shifts.map((shift) => shift?.value ?? null),
          lows: row.shifts.map((shift) => shift?.low ?? null), highs: row.shifts.map((shift) => shift?.high ?? null),
          counts: row.shifts.map((shift) => shift?.count ?? null),
        }));
        return lines.length > 0 && <Lines key={reading.title + access} title={`${reading.title}, from ${access}`} axis="dial" points={reading.dials} lines={lines} />;
      }))}
    </section>
  );
}

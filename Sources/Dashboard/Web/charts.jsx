// Drawings of the shapes that exhibits and answers have.
import { scaleLinear, scaleLog, scalePoint } from "d3-scale";
import { line as path } from "d3-shape";
import { Figure, Table, TableButtons } from "./Export.jsx";
import { shade, short, signed } from "./numbers.js";

// Okabe and Ito's colours, which differ for every kind of colour vision; dashes tell more lines apart.
const colours = ["#0072b2", "#d55e00", "#009e73", "#cc79a7", "#e69f00", "#56b4e9", "#7f7f7f"];
const dashes = ["", "6 3", "2 2", "8 3 2 3"];
const look = (index) => ({
  stroke: colours[index % colours.length],
  strokeDasharray: dashes[Math.floor(index / colours.length) % dashes.length],
});

const known = (value) => value !== null && value !== undefined;
const range = (values) => {
  const [low, high] = [Math.min(...values), Math.max(...values)];
  return low === high ? [low - 1, high + 1] : [low, high];
};

function Axes({ x, y, width, height, left, ticks, xLabel }) {
  return (
    <g className="axes">
      {y.ticks(4).map((value) => (
        <g key={value} transform={`translate(0,${y(value)})`}>
          <line x1={left} x2={width - 8} className="grid" />
          <text x={left - 4} dy="0.32em" textAnchor="end">{short(value)}</text>
        </g>
      ))}
      {ticks.map(({ at, label }, index) => (
        <text key={index} x={at} y={height - 20} textAnchor="middle">{label}</text>
      ))}
      <text x={(left + width) / 2} y={height - 5} textAnchor="middle" className="label">{xLabel}</text>
    </g>
  );
}

/** Lines over named points; a line may have a band: lows and highs. */
export function Lines({ title, axis, points, lines }) {
  if (points.length === 1) {
    return <figure><figcaption>{title}</figcaption><Bars title={title} items={lines.map((line) => ({ name: line.name, value: line.values[0] }))} /></figure>;
  }
  const width = 620, height = 240, left = 56;
  const all = lines.flatMap((line) => [...line.values, ...(line.lows ?? []), ...(line.highs ?? [])]).filter(known);
  const table = { columns: [axis, ...points], rows: lines.map((line) => [line.name, ...line.values]) };
  if (!all.length) return <p>{title}: nothing.</p>;
  const x = scalePoint(points.map((_, index) => index), [left + 10, width - 20]);
  const y = scaleLinear(range([...all, 0]), [height - 36, 10]).nice();
  const every = Math.ceil(points.length / 12);
  const draw = path().defined(([, value]) => known(value)).x(([index]) => x(index)).y(([, value]) => y(value));
  const best = lines.reduce((a, b) => (Math.max(...a.values.filter(known)) >= Math.max(...b.values.filter(known)) ? a : b));
  return (
    <>
      <Figure title={title} table={table} width={width} height={height}
        summary={`${lines.length} lines over ${points.length} points of ${axis}; the highest value, ${short(Math.max(...best.values.filter(known)))}, is of ${best.name}`}>
        <Axes x={x} y={y} width={width} height={height} left={left} xLabel={axis}
          ticks={points.map((label, index) => ({ at: x(index), label })).filter((_, index) => index % every === 0)} />
        {lines.map((line, place) => (
          <g key={place} {...look(place)} fill="none">
            {line.lows && line.values.map((value, index) => known(line.lows[index]) && (
              <line key={index} x1={x(index)} x2={x(index)} y1={y(line.lows[index])} y2={y(line.highs[index])} opacity="0.5" />
            ))}
            <path d={draw(line.values.map((value, index) => [index, value]))} strokeWidth="1.8" />
            {line.values.map((value, index) => known(value) && (
              <circle key={index} cx={x(index)} cy={y(value)} r="2.5" fill={look(place).stroke} stroke="none">
                <title>{`${line.name}, ${points[index]}: ${short(value)}`}</title>
              </circle>
            ))}
          </g>
        ))}
      </Figure>
      <Legend names={lines.map((line) => line.name)} />
    </>
  );
}

function Legend({ names }) {
  if (names.length < 2) return null;
  return (
    <ul className="legend">
      {names.map((name, index) => (
        <li key={index}>
          <svg width="24" height="10" aria-hidden="true"><line x1="0" x2="24" y1="5" y2="5" strokeWidth="2.5" {...look(index)} /></svg>
          {name}
        </li>
      ))}
    </ul>
  );
}

/** Bars by name, the largest deciding the scale; a mark stands before what was planted. */
export function Bars({ title, items, unit = "" }) {
  const largest = Math.max(...items.map((item) => Math.abs(item.value ?? 0)), Number.MIN_VALUE);
  return (
    <ol className="bars" aria-label={title}>
      {items.map((item, index) => (
        <li key={index} className={item.mark ? "planted" : ""}>
          <span className="name">{item.mark && <abbr title={item.mark}>{item.mark.startsWith("what") ? "☆" : "★"}</abbr>} {item.name}</span>
          <span className="track" aria-hidden="true">
            <span className={item.value < 0 ? "bar low" : "bar"} style={{ width: `${(100 * Math.abs(item.value ?? 0)) / largest}%` }} />
          </span>
          <span className="number">{short(item.value)}{unit}</span>
        </li>
      ))}
    </ol>
  );
}

/** Values by row and column, coloured; signs on either side of white. */
export function HeatMap({ title, rows, columns, values }) {
  const all = values.flat().filter(known);
  const largest = Math.max(...all.map(Math.abs), Number.MIN_VALUE);
  const colour = all.some((value) => value < 0) ? (value) => signed(value / largest) : (value) => shade(value / largest);
  const table = { columns: ["", ...columns], rows: rows.map((row, index) => [row, ...values[index]]) };
  return (
    <figure>
      <figcaption>{title}</figcaption>
      <div className="scroll">
        <table className="heat">
          <thead><tr><td />{columns.map((column, index) => <th key={index} scope="col">{column}</th>)}</tr></thead>
          <tbody>
            {rows.map((row, place) => (
              <tr key={place}>
                <th scope="row">{row}</th>
                {values[place].map((value, index) => (
                  <td key={index} className="number" style={known(value) ? colour(value) : {}}>{short(value)}</td>
                ))}
              </tr>
            ))}
          </tbody>
        </table>
      </div>
      <div className="tools"><TableButtons title={title} table={table} /></div>
    </figure>
  );
}

/** One text, a colour behind each token. */
export function Strip({ title, tokens, values }) {
  const largest = Math.max(...values.filter(known).map(Math.abs), Number.MIN_VALUE);
  const isSigned = values.some((value) => value < 0);
  return (
    <figure>
      <figcaption>{title}</figcaption>
      <p className="strip">
        {tokens.map((token, index) => (
          <span key={index} title={short(values[index])}
            style={known(values[index]) ? (isSigned ? signed : shade)(values[index] / largest) : {}}>{token}</span>
        ))}
      </p>
      <details><summary>Table</summary><Table columns={["token", "value"]} rows={tokens.map((token, index) => [token, values[index]])} /></details>
    </figure>
  );
}

/** Values of some kinds on one line, so that it is seen which stand out. */
export function Dots({ title, groups, unit }) {
  const width = 620, row = 26, left = 110, height = groups.length * row + 44;
  const all = groups.flatMap((group) => group.items.map((item) => item.value)).filter(known);
  if (!all.length) return null;
  const x = scaleLinear(range(all), [left + 8, width - 12]).nice();
  return (
    <Figure title={title} width={width} height={height}
      summary={groups.map((group) => `${group.name}: ${group.items.map((item) => short(item.value)).join(", ")}`).join("; ")}
      table={{ columns: ["", "pair", unit], rows: groups.flatMap((group) => group.items.map((item) => [group.name, item.name, item.value])) }}>
      {x.ticks(5).map((value) => (
        <g key={value} className="axes" transform={`translate(${x(value)},0)`}>
          <line y1="6" y2={height - 34} className="grid" />
          <text y={height - 20} textAnchor="middle">{short(value)}</text>
        </g>
      ))}
      <text x={(left + width) / 2} y={height - 5} textAnchor="middle" className="label">{unit}</text>
      {groups.map((group, place) => (
        <g key={place} transform={`translate(0,${place * row + 20})`}>
          <text x={left - 8} dy="0.32em" textAnchor="end">{group.name}</text>
          {group.items.filter((item) => known(item.value)).map((item, index) => (
            <circle key={index} cx={x(item.value)} r={place ? 5 : 7} fill={look(place).stroke} opacity="0.75">
              <title>{`${item.name}: ${short(item.value)}`}</title>
            </circle>
          ))}
        </g>
      ))}
    </Figure>
  );
}

/** Points with names: what they cost, on a scale of powers, against how they score. */
export function Scatter({ title, xLabel, yLabel, points, onChoose }) {
  const width = 620, height = 320, left = 56;
  const shown = points.filter((point) => point.x > 0 && known(point.y));
  if (!shown.length) return null;
  const x = scaleLog(range(shown.map((point) => point.x)), [left + 14, width - 24]).nice();
  const y = scaleLinear(range(shown.flatMap((point) => [point.y, point.low ?? point.y, point.high ?? point.y])), [height - 36, 12]).nice();
  const levels = [...new Set(shown.map((point) => point.level))];
  return (
    <>
      <Figure title={title} width={width} height={height}
        summary={`${shown.length} points; the highest is ${shown.reduce((a, b) => (a.y >= b.y ? a : b)).name}`}
        table={{ columns: ["method", "level", xLabel, yLabel, "low", "high"], rows: shown.map((point) => [point.name, point.level, point.x, point.y, point.low, point.high]) }}>
        <Axes x={x} y={y} width={width} height={height} left={left} xLabel={xLabel}
          ticks={x.ticks(5).filter((value) => /^1/.test(value.toExponential())).map((value) => ({ at: x(value), label: short(value) }))} />
        {shown.map((point) => (
          <g key={`${point.name} ${point.level}`} transform={`translate(${x(point.x)},${y(point.y)})`} stroke={look(levels.indexOf(point.level)).stroke}>
            {known(point.low) && <line y1={y(point.low) - y(point.y)} y2={y(point.high) - y(point.y)} opacity="0.35" />}
            <circle r="5" fill={look(levels.indexOf(point.level)).stroke} className={onChoose ? "choice" : ""} onClick={() => onChoose?.(point)}>
              <title>{`${point.name} (${point.level}): ${short(point.y)} for ${short(point.x)}`}</title>
            </circle>
          </g>
        ))}
      </Figure>
      <Legend names={levels} />
    </>
  );
}

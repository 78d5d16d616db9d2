// Drawings of the shapes that exhibits and answers have.
import { scaleLinear, scaleLog, scalePoint } from "d3-scale";
import { line as path } from "d3-shape";
import { Figure, Table, TableButtons } from "./Export.jsx";
import { shade, short, signed } from "./numbers.js";

// Okabe and Ito's colours, the light ones darker so that they stand out from white; dashes tell more lines apart.
const colours = ["#0072b2", "#d55e00", "#009e73", "#b0578a", "#a87000", "#2f8fbf", "#757575"];
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

/** Lines over named points; a line may have lows and highs, and counts of what its points are made of. */
export function Lines({ title, axis, points, lines }) {
  if (points.length === 1) return <Bars title={title} isFigure items={lines.map((line) => ({ name: line.name, value: line.values[0] }))} />;
  const names = lines.map((line) => line.name);
  const width = 620, plot = 240, left = 56, height = plot + legendHeight(names);
  const all = lines.flatMap((line) => [...line.values, ...(line.lows ?? []), ...(line.highs ?? [])]).filter(known);
  if (!all.length) return <p>{title}: nothing.</p>;
  const x = scalePoint(points.map((_, index) => index), [left + 10, width - 20]);
  const y = scaleLinear(range([...all, 0]), [plot - 36, 10]).nice();
  const every = Math.ceil(points.length / 12);
  const draw = path().defined(([, value]) => known(value)).x(([index]) => x(index)).y(([, value]) => y(value));
  const top = (line) => Math.max(...line.values.filter(known));
  const best = lines.reduce((a, b) => (top(a) >= top(b) ? a : b));
  return (
    <Figure title={title} table={lineTable(axis, points, lines)} width={width} height={height}
      summary={`${lines.length} lines over ${points.length} points of ${axis}; the highest value, ${short(top(best))}, is of ${best.name}`}>
      <Axes x={x} y={y} width={width} height={plot} left={left} xLabel={axis}
        ticks={points.map((label, index) => ({ at: x(index), label })).filter((_, index) => index % every === 0)} />
      {lines.map((line, place) => (
        <g key={place} {...look(place)} fill="none">
          {line.lows && line.values.map((value, index) => known(line.lows[index]) && (
            <line key={index} x1={x(index)} x2={x(index)} y1={y(line.lows[index])} y2={y(line.highs[index])} opacity="0.5" />
          ))}
          <path d={draw(line.values.map((value, index) => [index, value]))} strokeWidth="1.8" />
          {line.values.map((value, index) => known(value) && (
            <circle key={index} cx={x(index)} cy={y(value)} r="2.5" fill={look(place).stroke} stroke="none">
              <title>{`${line.name}, ${points[index]}: ${short(value)}${line.counts ? `, n = ${line.counts[index]}` : ""}`}</title>
            </circle>
          ))}
        </g>
      ))}
      <Legend names={names} top={plot + 6} left={left} width={width} />
    </Figure>
  );
}

/** What lines are drawn from: a row a line, and further rows for its interval and its counts. */
function lineTable(axis, points, lines) {
  const rows = lines.flatMap((line) => [
    [line.name, ...line.values], line.lows && [`${line.name}, low`, ...line.lows], line.highs && [`${line.name}, high`, ...line.highs],
    line.counts && [`${line.name}, n`, ...line.counts],
  ]);
  return { columns: [axis, ...points], rows: rows.filter(Boolean) };
}

const legendRow = 16, legendColumns = 2;
const legendHeight = (names) => (names.length < 2 ? 0 : Math.ceil(names.length / legendColumns) * legendRow + 6);

/** What the lines are called, within the drawing so that it goes where the drawing goes. */
function Legend({ names, top, left, width }) {
  if (names.length < 2) return null;
  return names.map((name, index) => (
    <g key={index} transform={`translate(${left + ((index % legendColumns) * (width - left)) / legendColumns},${top + Math.floor(index / legendColumns) * legendRow})`}>
      <line x1="0" x2="24" y1="0" y2="0" strokeWidth="2.5" {...look(index)} />
      <text x="30" dy="0.32em">{name.length > 40 ? `${name.slice(0, 39)}…` : name}</text>
    </g>
  ));
}

/** Bars by name, the largest deciding the scale; a star stands before what was planted. */
export function Bars({ title, items, isFigure = false }) {
  const largest = Math.max(...items.map((item) => Math.abs(item.value ?? 0)), Number.MIN_VALUE);
  const table = { columns: ["", "value", "mark"], rows: items.map(({ name, value, mark }) => [name, value, mark ?? null]) };
  const bars = (
    <ol className="bars" aria-label={title}>
      {items.map((item, index) => (
        <li key={index} className={item.mark ? "planted" : ""}>
          <span className="name">{item.mark && <abbr title={item.mark}>{item.mark.startsWith("what") ? "☆" : "★"}</abbr>} {item.name}</span>
          <span className="track" aria-hidden="true">
            <span className={item.value < 0 ? "bar low" : "bar"} style={{ width: `${(100 * Math.abs(item.value ?? 0)) / largest}%` }} />
          </span>
          <span className="number">{short(item.value)}</span>
        </li>
      ))}
    </ol>
  );
  const tools = <div className="tools"><TableButtons title={title} table={table} /></div>;
  return isFigure ? <figure><figcaption>{title}</figcaption>{bars}{tools}</figure> : <>{bars}{tools}</>;
}

const widest = (names) => Math.max(...names.map((name) => name.length), 1) * 6.6 + 8;

/** Values by row and column, coloured; signs on either side of white. */
export function HeatMap({ title, rows, columns, values }) {
  const all = values.flat().filter(known);
  const largest = Math.max(...all.map(Math.abs), Number.MIN_VALUE);
  const colour = all.some((value) => value < 0) ? (value) => signed(value / largest) : (value) => shade(value / largest);
  const left = widest(rows), top = columns.some((name) => name.length > 7) ? Math.min(widest(columns), 120) : 20;
  const isUpright = top === 20, cell = { width: 48, height: 20 };
  const place = (row, column) => `translate(${left + column * cell.width},${top + row * cell.height})`;
  const strongest = all.length ? all.reduce((a, b) => (Math.abs(a) >= Math.abs(b) ? a : b)) : null;
  return (
    <Figure title={title} width={left + columns.length * cell.width + 4} height={top + rows.length * cell.height + 4}
      table={{ columns: ["", ...columns], rows: rows.map((row, index) => [row, ...values[index]]) }}
      summary={`${rows.length} rows by ${columns.length} columns; the strongest value is ${short(strongest)}`}>
      {columns.map((name, index) => (
        <text key={index} textAnchor={isUpright ? "middle" : "start"}
          transform={`translate(${left + (index + 0.5) * cell.width},${top - 6})${isUpright ? "" : " rotate(-60)"}`}>{name}</text>
      ))}
      {rows.map((row, index) => (
        <g key={index}>
          <text x={left - 6} y={top + (index + 0.5) * cell.height} dy="0.32em" textAnchor="end">{row}</text>
          {values[index].map((value, column) => known(value) && (
            <g key={column} transform={place(index, column)}>
              <rect width={cell.width - 1} height={cell.height - 1} style={{ fill: colour(value).background }} />
              <text x={cell.width / 2} y={cell.height / 2} dy="0.32em" textAnchor="middle" style={{ fill: colour(value).color }}>{short(value)}</text>
            </g>
          ))}
        </g>
      ))}
    </Figure>
  );
}

/** One text, a colour behind each token. */
export function Strip({ title, tokens, values }) {
  const largest = Math.max(...values.filter(known).map(Math.abs), Number.MIN_VALUE);
  const isSigned = values.some((value) => value < 0);
  const table = { columns: ["token", "value"], rows: tokens.map((token, index) => [token, values[index]]) };
  return (
    <figure>
      <figcaption>{title}</figcaption>
      <p className="strip">
        {tokens.map((token, index) => (
          <span key={index} title={short(values[index])}
            style={known(values[index]) ? (isSigned ? signed : shade)(values[index] / largest) : {}}>{token}</span>
        ))}
      </p>
      <div className="tools">
        <TableButtons title={title} table={table} />
        <details><summary>Table</summary><Table title={title} {...table} /></details>
      </div>
    </figure>
  );
}

/** Lines from top to bottom at round numbers of a scale from left to right. */
function Scale({ x, left, width, height, label }) {
  return (
    <g className="axes">
      {x.ticks(5).map((value) => (
        <g key={value} transform={`translate(${x(value)},0)`}>
          <line y1="6" y2={height - 34} className="grid" />
          <text y={height - 20} textAnchor="middle">{short(value)}</text>
        </g>
      ))}
      <text x={(left + width) / 2} y={height - 5} textAnchor="middle" className="label">{label}</text>
    </g>
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
      <Scale x={x} left={left} width={width} height={height} label={unit} />
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

/** A value with its interval a row, on one line from end to end; further figures stand in the table alone. */
export function Intervals({ title, unit, domain, items, further = {} }) {
  if (!items.length) return <p>{title}: nothing.</p>;
  const width = 620, row = 20, left = widest(items.map((item) => item.name)), height = items.length * row + 44;
  const x = scaleLinear(domain, [left + 8, width - 12]);
  const best = items.reduce((a, b) => (a.value >= b.value ? a : b));
  return (
    <Figure title={title} width={width} height={height} summary={`${items.length} rows; the highest value, ${short(best.value)}, is of ${best.name}`}
      table={{
        columns: ["", unit, "low", "high", ...Object.keys(further)],
        rows: items.map((item) => [item.name, item.value, item.low, item.high, ...Object.values(further).map((value) => value(item))]),
      }}>
      <Scale x={x} left={left} width={width} height={height} label={unit} />
      {items.map((item, place) => (
        <g key={place} transform={`translate(0,${place * row + 18})`} stroke={look(0).stroke}>
          <text x={left} dy="0.32em" textAnchor="end" stroke="none">{item.name}</text>
          {known(item.low) && <line x1={x(item.low)} x2={x(item.high)} strokeWidth="2" opacity="0.7" />}
          <circle cx={x(item.value)} r="4" fill={look(0).stroke} stroke="none">
            <title>{`${item.name}: ${short(item.value)}${known(item.low) ? ` [${short(item.low)}, ${short(item.high)}]` : ""}`}</title>
          </circle>
        </g>
      ))}
    </Figure>
  );
}

/** Points with names; what they cost is on a scale of powers unless that is even. */
export function Scatter({ title, xLabel, yLabel, points, isEven = false }) {
  const levels = [...new Set(points.map((point) => point.level))];
  const width = 620, plot = 320, left = 56, height = plot + legendHeight(levels);
  const shown = points.filter((point) => (isEven ? known(point.x) : point.x > 0) && known(point.y));
  if (!shown.length) return <p>{title}: nothing.</p>;
  const across = range(shown.map((point) => point.x)), room = [left + 14, width - 24];
  const x = (isEven ? scaleLinear(across, room) : scaleLog(across.map((value) => Math.max(value, 1e-6)), room)).nice();
  const y = scaleLinear(range(shown.flatMap((point) => [point.y, point.low ?? point.y, point.high ?? point.y])), [plot - 36, 12]).nice();
  const colour = (point) => look(levels.indexOf(point.level)).stroke;
  return (
    <Figure title={title} width={width} height={height}
      summary={`${shown.length} points; the highest is ${shown.reduce((a, b) => (a.y >= b.y ? a : b)).name}`}
      table={{ columns: ["method", "level", xLabel, yLabel, "low", "high"], rows: shown.map((point) => [point.name, point.level, point.x, point.y, point.low, point.high]) }}>
      <Axes x={x} y={y} width={width} height={plot} left={left} xLabel={xLabel}
        ticks={x.ticks(5).filter((value) => isEven || /^1/.test(value.toExponential())).map((value) => ({ at: x(value), label: short(value) }))} />
      <text transform={`translate(12,${plot / 2}) rotate(-90)`} textAnchor="middle" className="label">{yLabel}</text>
      {shown.map((point) => (
        <g key={`${point.name} ${point.level}`} transform={`translate(${x(point.x)},${y(point.y)})`} stroke={colour(point)}>
          {known(point.low) && <line y1={y(point.low) - y(point.y)} y2={y(point.high) - y(point.y)} opacity="0.35" />}
          <circle r="5" fill={colour(point)}><title>{`${point.name} (${point.level}): ${short(point.y)} ${isEven ? "at" : "for"} ${short(point.x)}`}</title></circle>
        </g>
      ))}
      <Legend names={levels} top={plot + 6} left={left} width={width} />
    </Figure>
  );
}

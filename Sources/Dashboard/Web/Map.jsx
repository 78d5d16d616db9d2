// Methods by organisms, with what each row's mean is worth and its false alarms beside it.
import { Fragment, useMemo } from "react";
import { fixed, interval, letter, mean, shade, short } from "./numbers.js";
import { plantName } from "./data.js";
import { TableButtons } from "./Export.jsx";

const scale = 10000;
const values = (cells) => cells.filter((value) => value >= 0).map((value) => value / scale);

/** Columns: a family as a whole, or its plants if it is open. */
function columnsOf(grid, open) {
  const families = [...new Set(grid.plants.map((plant) => plant.family))];
  return families.flatMap((family) => {
    const plants = grid.plants.map((plant, index) => ({ plant, index })).filter(({ plant }) => plant.family === family && !plant.dial);
    if (!plants.length) return [];
    return open.has(family)
      ? plants.map(({ plant, index }) => ({ family, title: plantName(plant), plants: [index], isOpen: true }))
      : [{ family, title: family, plants: plants.map(({ index }) => index), isOpen: plants.length === 1 }];
  });
}

/** A mean over plants of their means over seeds, and how many figures it is of. */
function figure(cells, plants) {
  const own = plants.map((plant) => values(cells[plant])).filter((list) => list.length);
  return { value: mean(own.map(mean)), count: own.flat().length };
}

function sorted(grid, question, level, search) {
  const rows = grid.rows.map((row, index) => ({ row, index, said: question.rows[index], cells: question.cells[index] }))
    .filter(({ row, said }) => said && (level === "all" || row.access === level) && row.method.includes(search));
  const levels = [...new Set(rows.map(({ row }) => row.access))];
  return levels.map((access) => [access, rows.filter(({ row }) => row.access === access)
    .sort((a, b) => a.row.isDummy - b.row.isDummy || b.said.mean - a.said.mean)]);
}

const fixedColumns = ["method", "mean [95 %]", "ties", "best, %"];

function exported(grid, groups, columns, beside) {
  return {
    columns: ["level", ...fixedColumns, ...beside.map(({ title }) => title), "s", ...columns.map(({ title }) => title)],
    rows: groups.flatMap(([access, rows]) => rows.map(({ row, said, cells }) => [
      access, row.method, `${fixed(said.mean)} ${interval(said)}`, said.groups.map(letter).join(""),
      said.best === null ? null : Math.round(100 * said.best), ...row.beside, row.seconds,
      ...columns.map(({ plants }) => { const { value } = figure(cells, plants); return value === null ? null : Number(value.toFixed(4)); }),
    ])),
  };
}

function Mean({ row, said }) {
  const n = said.n ? `${said.n[0]} families, ${said.n[1]} organisms, ${said.n[2]} bases` : "";
  const beaten = row.isDummy || said.above ? "" : "°";
  return <td className="number mean" title={`${n}${beaten ? "; not clearly above the best dummy of the level" : ""}`}>{fixed(said.mean)}{beaten} <small>{interval(said)}</small></td>;
}

function Cell({ row, cells, column, address, change }) {
  const { value, count } = figure(cells, column.plants);
  if (value === null) return <td className="none">–</td>;
  const style = shade(value);
  const label = `${row.method} (${row.access}), ${column.title}: ${fixed(value)}, n = ${count}`;
  const cell = `${row.key}|${row.access}|${column.plants[0]}`;
  const onClick = () => column.isOpen ? change({ cell, seeds: undefined, null: undefined }) : change({ open: [address.open, column.family].filter(Boolean).join(",") });
  return (
    <td className={address.cell === cell ? "chosen" : ""}>
      <button type="button" style={style} onClick={onClick} title={label} aria-label={`${label}; ${column.isOpen ? "show" : "open the family"}`}>{fixed(value)}</button>
    </td>
  );
}

function Row({ item, columns, address, change }) {
  const { row, said, cells } = item;
  return (
    <tr className={row.isDummy ? "dummy" : said.groups.includes(1) ? "best" : ""}>
      <th scope="row">{row.method}</th>
      <Mean row={row} said={said} />
      <td>{said.groups.map(letter).join("")}</td>
      <td className="number">{said.best === null ? "" : Math.round(100 * said.best)}</td>
      {row.beside.map((value, index) => <td key={index} className="number">{fixed(value)}</td>)}
      <td className="number">{short(row.seconds)}</td>
      {columns.map((column) => <Cell key={column.title} row={row} cells={cells} column={column} address={address} change={change} />)}
    </tr>
  );
}

function Head({ grid, columns, open, change }) {
  const toggle = (family) => {
    const next = new Set(open);
    next.has(family) ? next.delete(family) : next.add(family);
    change({ open: [...next].join(",") });
  };
  const size = (family) => grid.plants.filter((plant) => plant.family === family && !plant.dial).length;
  return (
    <thead>
      <tr>
        {fixedColumns.map((title) => <th key={title} scope="col">{title}</th>)}
        {grid.beside.map(({ title, meaning }) => <th key={title} scope="col" title={meaning} className="narrow"><span>{title}</span></th>)}
        <th scope="col" title="mean seconds a trial" className="narrow"><span>seconds</span></th>
        {columns.map((column) => (
          <th key={column.title} scope="col" className="plant">
            <button type="button" aria-expanded={open.has(column.family)} disabled={size(column.family) === 1} onClick={() => toggle(column.family)}
              title={open.has(column.family) ? `close ${column.family}` : `${size(column.family)} plants`}>{column.title}</button>
          </th>
        ))}
      </tr>
    </thead>
  );
}

export function Map({ grid, question, level, address, change }) {
  const open = useMemo(() => new Set((address.open ?? "").split(",").filter(Boolean)), [address.open]);
  const columns = useMemo(() => columnsOf(grid, open), [grid, open]);
  const groups = useMemo(() => sorted(grid, question, level, address.search ?? ""), [grid, question, level, address.search]);
  const families = [...new Set(grid.plants.map((plant) => plant.family))];
  const span = fixedColumns.length + grid.beside.length + 1 + columns.length;
  return (
    <section aria-label="Map of methods and organisms">
      <div className="tools">
        <button type="button" onClick={() => change({ open: open.size === families.length ? "" : families.join(",") })}>
          {open.size === families.length ? "Close all families" : "Open all families"}
        </button>
        <TableButtons title={`${question.title} by organism`} table={exported(grid, groups, columns, grid.beside)} />
      </div>
      <div className="scroll">
        <table className="map">
          <Head grid={grid} columns={columns} open={open} change={change} />
          {groups.map(([access, rows]) => (
            <tbody key={access}>
              <tr><th colSpan={span} scope="colgroup" className="level">from {access}</th></tr>
              {rows.map((item) => <Fragment key={`${item.row.key} ${access}`}><Row item={item} columns={columns} address={address} change={change} /></Fragment>)}
            </tbody>
          ))}
        </table>
      </div>
      {!groups.length && <p>No method fits.</p>}
      <p className="legend-text">
        Two methods that share a letter are not clearly different (paired differences, adjusted by Holm); rows of the best group are marked at their
        left. °: not clearly above the best dummy of the level. Rows in italics are dummies, answers that need no method. {grid.beside.map(({ title, meaning }) => `${title}: ${meaning}`).join(". ")}.
      </p>
    </section>
  );
}

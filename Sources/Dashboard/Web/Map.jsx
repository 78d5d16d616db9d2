// Methods by organisms, with what each row's mean is worth and its false alarms beside it.
import { memo, useCallback, useEffect, useMemo, useRef } from "react";
import { pack, unpack } from "./address.js";
import { fixed, interval, letter, mean, shade, short } from "./numbers.js";
import { plantName } from "./data.js";
import { Scroll, TableButtons } from "./Export.jsx";

const scale = 10000;
const values = (cells) => cells.filter((value) => value !== null).map((value) => value / scale);

const familiesOf = (grid) => [...new Set(grid.plants.map((plant) => plant.family))];

/** Columns: a family as a whole, plants along the dials left out, or all of its plants if it is open. */
function columnsOf(grid, open) {
  return familiesOf(grid).flatMap((family) => {
    const all = grid.plants.map((plant, index) => ({ plant, index })).filter(({ plant }) => plant.family === family);
    const own = all.filter(({ plant }) => !plant.dial);
    const column = ({ plant, index }) => ({ family, title: plantName(plant), plants: [index], plant: plantName(plant), count: all.length });
    if (open.has(family) || all.length === 1) return all.map(column);
    return own.length ? [{ family, title: family, plants: own.map(({ index }) => index), plant: null, count: all.length }] : [];
  });
}

/** A mean over plants of their means over seeds, and how many figures it is of. */
function figure(cells, plants) {
  const own = plants.map((plant) => values(cells[plant])).filter((list) => list.length);
  return { value: mean(own.map(mean)), count: own.flat().length };
}

function sorted(grid, question, level, search) {
  const rows = grid.rows.map((row, index) => ({ row, said: question.rows[index], cells: question.cells[index] }))
    .filter(({ row, said }) => said && (level === "all" || row.access === level) && row.method.toLowerCase().includes(search.toLowerCase()));
  const levels = [...new Set(rows.map(({ row }) => row.access))];
  return levels.map((access) => [access, rows.filter(({ row }) => row.access === access)
    .sort((a, b) => a.row.isDummy - b.row.isDummy || b.said.mean - a.said.mean)]);
}

const fixedColumns = ["method", "mean [95 %]", "ties", "best, %"];

function exported(groups, columns, beside) {
  return {
    columns: ["level", "method", "mean", "low", "high", "families", "organisms", "bases", "ties", "best, %", ...beside.map(({ title }) => title), "seconds", ...columns.map(({ title }) => title)],
    rows: groups.flatMap(([access, rows]) => rows.map(({ row, said, cells }) => [
      access, row.method, said.mean, said.low, said.high, ...said.n, said.groups.map(letter).join(""),
      said.best === null ? null : Math.round(100 * said.best), ...row.beside, row.seconds,
      ...columns.map(({ plants }) => { const { value } = figure(cells, plants); return value === null ? null : Number(value.toFixed(4)); }),
    ])),
  };
}

const Cell = memo(function Cell({ row, cells, column, isChosen, onPress }) {
  const { value, count } = figure(cells, column.plants);
  if (value === null) return <td className="none">–</td>;
  const label = `${row.method} (${row.access}), ${column.title}: ${fixed(value)}, n = ${count}`;
  return (
    <td className={isChosen ? "chosen" : ""}>
      <button type="button" tabIndex={-1} style={shade(value)} data-cell={pack([row.key, row.access, column.plant ?? ""])} data-family={column.family}
        onClick={() => onPress(row, column)} title={label} aria-label={`${label}; ${column.plant ? "show" : "open the family"}`}>{fixed(value)}</button>
    </td>
  );
});

const Row = memo(function Row({ item, columns, chosen, onPress }) {
  const { row, said, cells } = item;
  const beaten = row.isDummy || said.above ? "" : "°";
  return (
    <tr className={row.isDummy ? "dummy" : said.groups.includes(1) ? "best" : ""}>
      <th scope="row" title={row.method}>{row.method}</th>
      <td className="number mean" title={beaten && "not clearly above the best dummy of the level"}>{fixed(said.mean)}{beaten} <small>{interval(said)}</small></td>
      <td>{said.groups.map(letter).join("")}</td>
      <td className="number">{said.best === null ? "" : Math.round(100 * said.best)}</td>
      {row.beside.map((value, index) => <td key={index} className="number">{fixed(value)}</td>)}
      <td className="number">{short(row.seconds)}</td>
      {columns.map((column) => <Cell key={column.title} row={row} cells={cells} column={column} isChosen={column.plant !== null && column.plant === chosen} onPress={onPress} />)}
    </tr>
  );
});

const Head = memo(function Head({ grid, columns, open, onToggle }) {
  return (
    <thead>
      <tr>
        {fixedColumns.map((title) => <th key={title} scope="col">{title}</th>)}
        {grid.beside.map(({ title, meaning }) => <th key={title} scope="col" title={meaning} className="narrow"><span>{title}</span></th>)}
        <th scope="col" title="mean seconds a trial" className="narrow"><span>seconds</span></th>
        {columns.map((column) => (
          <th key={column.title} scope="col" className="plant">
            {column.count === 1
              ? <span>{column.title}</span>
              : <button type="button" aria-expanded={open.has(column.family)} data-head={column.family} onClick={() => onToggle(column.family)}
                  title={open.has(column.family) ? `close ${column.family}` : `${column.count} plants`}>{column.title}</button>}
          </th>
        ))}
      </tr>
    </thead>
  );
});

/** Arrow keys go from cell to cell; Tab reaches the table once. */
function onArrow(event) {
  const step = { ArrowLeft: [0, -1], ArrowRight: [0, 1], ArrowUp: [-1, 0], ArrowDown: [1, 0] }[event.key];
  const cell = event.target.closest("td");
  if (!step || !cell) return;
  event.preventDefault();
  const rows = [...event.currentTarget.querySelectorAll("tbody tr")].filter((row) => row.querySelector("td button"));
  const row = rows.indexOf(cell.parentElement), column = cell.cellIndex;
  for (let place = 1; place < 2000; place += 1) {
    const next = rows[row + step[0] * place]?.cells[column + step[1] * place];
    if (!next) return;
    const button = next.querySelector("button");
    if (button) return button.focus();
  }
}

const find = (table, name, value) => table?.querySelector(`[${name}="${CSS.escape(value)}"]`);

/** The one cell that Tab reaches: the chosen one, or else the first. */
function useTabStop(table, cell, ...changes) {
  useEffect(() => {
    const stop = find(table.current, "data-cell", cell ?? "") ?? table.current?.querySelector("td button");
    table.current?.querySelectorAll("td button[tabindex='0']").forEach((button) => { button.tabIndex = -1; });
    if (stop) stop.tabIndex = 0;
  }, [table, cell, ...changes]);
}

/** What is pressed within the table, and where the focus goes when that is gone. */
function usePressing(table, openText, change) {
  const wanted = useRef(null);
  useEffect(() => {
    const family = wanted.current;
    wanted.current = null;
    if (family) (find(table.current, "data-head", family) ?? find(table.current, "data-family", family))?.focus();
  }, [table, openText]);
  const onToggle = useCallback((family) => {
    const open = new Set(unpack(openText));
    if (open.has(family)) open.delete(family);
    else open.add(family);
    wanted.current = family;
    change({ open: pack([...open]) });
  }, [openText, change]);
  const onPress = useCallback((row, column) => {
    if (column.plant === null) onToggle(column.family);
    else change({ cell: pack([row.key, row.access, column.plant]), seeds: undefined, null: undefined });
  }, [onToggle, change]);
  return { onToggle, onPress };
}

export function Map({ grid, question, level, address, change }) {
  const table = useRef(null);
  const open = useMemo(() => new Set(unpack(address.open)), [address.open]);
  const columns = useMemo(() => columnsOf(grid, open), [grid, open]);
  const groups = useMemo(() => sorted(grid, question, level, address.search ?? ""), [grid, question, level, address.search]);
  const { onToggle, onPress } = usePressing(table, address.open, change);
  useTabStop(table, address.cell, columns, groups);
  const families = familiesOf(grid), areOpen = families.every((family) => open.has(family));
  const span = fixedColumns.length + grid.beside.length + 1 + columns.length;
  const [chosenKey, chosenAccess, chosenPlant] = unpack(address.cell);
  const dialed = grid.plants.filter((plant) => plant.dial).length;
  return (
    <section aria-labelledby="map">
      <h2 id="map">Methods by organisms</h2>
      <div className="tools">
        <button type="button" onClick={() => change({ open: areOpen ? "" : pack(families) })}>{areOpen ? "Close all families" : "Open all families"}</button>
        <TableButtons title={`${question.title} by organism`} table={() => exported(groups, columns, grid.beside)} />
      </div>
      <Scroll label="Map of methods and organisms">
        <table className="map" ref={table} onKeyDown={onArrow}>
          <Head grid={grid} columns={columns} open={open} onToggle={onToggle} />
          {groups.map(([access, rows]) => (
            <tbody key={access}>
              <tr><th colSpan={span} scope="rowgroup" className="level">from {access} <small>means over {rows[0].said.n[0]} families, {rows[0].said.n[1]} organisms, {rows[0].said.n[2]} bases</small></th></tr>
              {rows.map((item) => <Row key={`${item.row.key} ${access}`} item={item} columns={columns} onPress={onPress}
                chosen={item.row.key === chosenKey && access === chosenAccess ? chosenPlant : undefined} />)}
            </tbody>
          ))}
        </table>
      </Scroll>
      {!groups.length && <p>No method fits{grid.plants.length ? "" : ": this run holds no plants"}.</p>}
      <p className="legend-text">
        Two methods that share a letter are not clearly different (paired differences, adjusted by Holm); rows of the best group are marked at their
        left. °: not clearly above the best dummy of the level. Rows in italics are dummies, answers that need no method.{" "}
        {grid.beside.map(({ title, meaning }) => `${title}: ${meaning}`).join(". ")}.{" "}
        {dialed > 0 && `A closed family is the mean of its plants in their own regimes; its ${dialed} diluted and aged ones are columns when it is open. `}
        Arrow keys go from cell to cell.
      </p>
    </section>
  );
}

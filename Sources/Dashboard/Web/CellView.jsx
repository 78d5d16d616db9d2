// One cell: what the method said, the truth, why it scored so, and the same method on a null of the plant.
import { useEffect, useRef } from "react";
import { Answers, Command } from "./Answers.jsx";
import { Dots } from "./charts.jsx";
import { plantName, readPart } from "./data.js";
import { Exhibit } from "./Exhibits.jsx";
import { fixed, short } from "./numbers.js";
import { Pick } from "./Pick.jsx";

function Exhibits({ cell, data, missing }) {
  if (!cell?.exhibits) return missing ? <p className="notice">{missing}</p> : null;
  return cell.exhibits.map((exhibit, index) => <Exhibit key={index} exhibit={exhibit} context={data} />);
}

function Magnitudes({ grid, row, index, plant, seed }) {
  const all = grid.magnitudes[index];
  if (!all) return <p>The method does not say.</p>;
  const at = (pair) => all[pair][seed];
  const nulls = grid.nulls.map((entry, place) => ({ ...entry, value: at(grid.plants.length + place) }));
  const own = nulls.filter(({ match, role }) => match === plant && ["narrow", "novel"].includes(role));
  const groups = [
    { name: "plant", items: [{ name: plantName(grid.plants[plant]), value: at(plant) }] },
    { name: "its nulls", items: own },
    { name: "other nulls", items: nulls.filter((entry) => !own.includes(entry) && entry.role !== "prompted") },
  ].filter(({ items }) => items.some(({ value }) => value !== null));
  return groups.length ? <Dots title={`Magnitude of ${row.method} on ${grid.seeds[seed]}`} groups={groups} unit="magnitude" /> : <p>No magnitude.</p>;
}

export function CellView({ data, question, address, change }) {
  const heading = useRef(null);
  const { grid } = data;
  useEffect(() => { if (address.cell) heading.current?.focus(); }, [address.cell]);
  const [key, access, place] = (address.cell ?? "").split("|");
  const index = grid.rows.findIndex((row) => row.key === key && row.access === access), plant = Number(place);
  if (index < 0 || !grid.plants[plant]) return <p className="hint">Choose a cell of an organism to see what was said, the truth, and why it scored so.</p>;
  const row = grid.rows[index], name = plantName(grid.plants[plant]);
  const seed = Math.max(0, grid.seeds.indexOf(address.seeds)), seeds = grid.seeds[seed];
  const cell = readPart(`${name} ${seeds}`)?.[row.key], truth = data.truths?.[plant]?.[seed];
  const nulls = grid.nulls.map((entry, index) => [String(index), `${entry.name} (${entry.role})`]).filter(([index]) => grid.nulls[index].match === plant);
  const chosen = nulls.find(([index]) => index === address.null) ?? nulls[0];
  const beside = chosen && readPart(`${grid.nulls[chosen[0]].name} ${seeds}`)?.[row.key];
  const per = question >= 0 && grid.questions[question].cells[index]?.[plant];
  return (
    <section className="cell" aria-labelledby="cell">
      <h2 id="cell" ref={heading} tabIndex={-1}>{row.method} <small>(from {row.access})</small> on {name}</h2>
      <div className="tools">
        <Pick label="Seeds" options={grid.seeds.map((text, index) => [text, per && per[index] >= 0 ? `${text}: ${fixed(per[index] / 10000)}` : text])} value={seeds} onChange={(text) => change({ seeds: text })} />
        {chosen && <Pick label="Beside it" options={nulls} value={chosen[0]} onChange={(index) => change({ null: index })} />}
        <button type="button" onClick={() => change({ cell: undefined, seeds: undefined, null: undefined })}>Close</button>
      </div>
      <div className="columns wide">
        <div>
          <h3 className="pair">{name} <small>planted</small></h3>
          {cell?.said
            ? <Answers {...cell} truth={truth} plant={grid.plants[plant]} context={data}
                whether={<Magnitudes grid={grid} row={row} index={index} plant={plant} seed={seed} />} />
            : <p className="notice">What was said here is not in this page; the first command below shows it.</p>}
          <Exhibits cell={cell} data={data} missing={cell?.said && seed > 0 ? `Exhibits are here for ${grid.seeds[0]} alone.` : null} />
        </div>
        {chosen && (
          <div>
            <h3 className="pair">{grid.nulls[chosen[0]].name} <small>nothing planted</small></h3>
            {beside?.said ? <Answers said={beside.said} context={data} /> : <p className="notice">What was said here is not in this page{seed > 0 ? `: nulls are here for ${grid.seeds[0]} alone` : ""}.</p>}
            <Exhibits cell={beside} data={data} />
          </div>
        )}
      </div>
      {cell?.cost && <p>{short(cell.cost[0])} s; {cell.cost[1]} tokens forward, {cell.cost[2]} backward.</p>}
      <Command text={`${data.commands.show} ${row.key} ${name} ${seeds}`} />
      {!row.isDummy && <Command text={`${data.commands.bench} --method ${row.method} --organism ${grid.plants[plant].organism} ${flags(seeds)}`} />}
    </section>
  );
}

/** `base-0 planting-1` as options. */
const flags = (seeds) => seeds.split(" ").map((word) => word.replace(/^(\w+)-(\d+)$/, "--$1-seed $2")).join(" ");

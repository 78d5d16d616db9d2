// What methods saw, each in the shape that it has.
import { HeatMap, Lines, Strip } from "./charts.jsx";
import { Table, TableButtons } from "./Export.jsx";
import { short } from "./numbers.js";
import { VirtualList } from "./VirtualList.jsx";

const sentence = (tokens, words) => tokens.map((token) => words[token]).join(" ");

/** Prompts of the pool by a score; those that set the behaviour off are marked. */
export function Prompts({ title, claims, pool, words, planted = new Set() }) {
  return (
    <VirtualList label={title} items={claims} row={([row, score]) => (
      <>
        <span className="number">{short(score)}</span> {planted.has(row) && <abbr title="sets the behaviour off">★</abbr>}{" "}
        {pool?.[row] ? sentence(pool[row], words) : `row ${row}`}
      </>
    )} />
  );
}

function Cells({ title, columns, rows, words }) {
  const cell = (value) => (Array.isArray(value) ? words[value[0]] : value ?? "–");
  const table = { columns, rows: rows.map((row) => row.map(cell)) };
  return (
    <figure>
      <figcaption>{title}</figcaption>
      {rows.length ? <Table title={title} {...table} /> : <p>Nothing.</p>}
      <div className="tools"><TableButtons title={title} table={table} /></div>
    </figure>
  );
}

function Titled({ title, children }) {
  return <figure><figcaption>{title}</figcaption>{children}</figure>;
}

const kinds = {
  table: (exhibit, { words }) => <Cells {...exhibit} words={words} />,
  heatMap: (exhibit) => <HeatMap {...exhibit} />,
  curves: (exhibit) => <Lines {...exhibit} />,
  spectrum: ({ title, lines }) => {
    const longest = Math.max(...lines.map((line) => line.values.length));
    return <Lines title={title} axis="place" points={Array.from({ length: longest }, (_, index) => String(index + 1))} lines={lines} />;
  },
  strip: ({ title, tokens, values }, { words }) => <Strip title={title} tokens={tokens.map((token) => words[token])} values={values} />,
  tokens: ({ title, lists }, { words }) => (
    <Cells title={title} columns={["", "tokens"]} rows={lists.map((list) => [list.name, sentence(list.tokens, words)])} words={words} />
  ),
  inputs: ({ title, inputs }, { words, pool }) => (
    <Titled title={title}><Prompts title={title} claims={inputs} pool={pool} words={words} /></Titled>
  ),
  texts: ({ title, texts }, { words }) => (
    <Titled title={title}>
      <VirtualList label={title} items={texts} row={([score, tokens]) => <><span className="number">{short(score)}</span> {sentence(tokens, words)}</>} />
    </Titled>
  ),
};

export function Exhibit({ exhibit, context }) {
  const draw = kinds[exhibit.kind];
  return draw ? draw(exhibit, context) : <p>{exhibit.title}: of a kind that this page does not know.</p>;
}


// Figures as SVG and PNG, tables as CSV, Markdown and LaTeX.
import { useRef } from "react";

function save(name, blob) {
  const link = document.createElement("a");
  link.href = URL.createObjectURL(blob);
  link.download = name;
  link.click();
  setTimeout(() => URL.revokeObjectURL(link.href), 1000);
}

const stem = (title) => title.toLowerCase().replace(/[^a-z0-9]+/g, "-").replace(/^-|-$/g, "");

// Looks come from the style sheet, which a file of its own does not have.
function standing(svg, title) {
  const copy = svg.cloneNode(true);
  const from = [svg, ...svg.querySelectorAll("*")];
  const to = [copy, ...copy.querySelectorAll("*")];
  from.forEach((element, index) => {
    const looks = getComputedStyle(element);
    for (const name of ["fill", "stroke", "stroke-width", "stroke-dasharray", "font-size", "font-family", "opacity"]) {
      to[index].setAttribute(name, looks.getPropertyValue(name));
    }
  });
  const { width, height } = svg.viewBox.baseVal;
  copy.setAttribute("width", width);
  copy.setAttribute("height", height);
  copy.setAttribute("xmlns", "http://www.w3.org/2000/svg");
  const ground = document.createElementNS("http://www.w3.org/2000/svg", "rect");
  for (const [name, value] of [["width", width], ["height", height], ["fill", getComputedStyle(document.body).backgroundColor]]) ground.setAttribute(name, value);
  const name = document.createElementNS("http://www.w3.org/2000/svg", "title");
  name.textContent = title;
  copy.prepend(name, ground);
  return { text: new XMLSerializer().serializeToString(copy), width, height };
}

function saveImage(title, svg, kind) {
  const { text, width, height } = standing(svg, title);
  if (kind === "svg") return save(`${stem(title)}.svg`, new Blob([text], { type: "image/svg+xml" }));
  const image = new Image();
  image.onload = () => {
    const canvas = Object.assign(document.createElement("canvas"), { width: 2 * width, height: 2 * height });
    const context = canvas.getContext("2d");
    context.fillStyle = getComputedStyle(document.body).backgroundColor;
    context.fillRect(0, 0, canvas.width, canvas.height);
    context.drawImage(image, 0, 0, canvas.width, canvas.height);
    canvas.toBlob((blob) => save(`${stem(title)}.png`, blob));
  };
  image.src = `data:image/svg+xml,${encodeURIComponent(text)}`;
}

const text = (cell) => (cell === null || cell === undefined ? "" : String(cell));
const line = (cell) => text(cell).replace(/\s+/g, " ").trim();

// A sheet program runs what begins with one of these, blanks before it or not: a quote keeps it a text.
const inert = (cell) => (/^\s*[=+\-@\uff1d\uff0b\uff0d\uff20]/.test(cell) && isNaN(cell) ? `'${cell}` : cell);

const words = { "\\": "\\textbackslash{}", "~": "\\textasciitilde{}", "^": "\\textasciicircum{}" };
const escaped = (mark) => words[mark] ?? `\\${mark}`;

const formats = {
  csv: ({ columns, rows }) =>
    [columns, ...rows].map((row) => row.map((cell) => `"${inert(text(cell)).replaceAll('"', '""')}"`).join(","))
      .join("\n") + "\n",
  md: ({ columns, rows }) => {
    const row = (cells) => `| ${cells.map((cell) => line(cell).replace(/[\\|`*_<>&~[\]!#]/g, "\\$&")).join(" | ")} |`;
    return [row(columns), `|${columns.map(() => " --- |").join("")}`, ...rows.map(row)].join("\n") + "\n";
  },
  tex: ({ columns, rows }) => {
    // An empty group first: what begins with a bracket or a star would be read as an option of the line before.
    const row = (cells) => `{}${cells.map((cell) => line(cell).replace(/[\\~^&%$#_{}]/g, escaped)).join(" & ")} \\\\`;
    return [`\\begin{tabular}{${columns.map((_, index) => (index ? "r" : "l")).join("")}}`, "\\toprule", row(columns),
      "\\midrule", ...rows.map(row), "\\bottomrule", "\\end{tabular}"].join("\n") + "\n";
  },
};

const labels = { csv: "CSV", md: "Markdown", tex: "LaTeX" };

/** Buttons that save a table, or what a function makes when it is wanted. */
export function TableButtons({ title, table }) {
  const whole = () => (typeof table === "function" ? table() : table);
  return (
    <span className="buttons">
      {Object.keys(formats).map((format) => (
        <button key={format} type="button" aria-label={`${title} as ${labels[format]}`}
          onClick={() => save(`${stem(title)}.${format}`, new Blob([formats[format](whole())], { type: "text/plain" }))}>
          {labels[format]}
        </button>
      ))}
    </span>
  );
}

/** What may be wider than the page: it can be scrolled, by keyboard too. */
export function Scroll({ label, children }) {
  return <div className="scroll" tabIndex={0} role="region" aria-label={label}>{children}</div>;
}

/** A table of plain cells. */
export function Table({ title, columns, rows }) {
  return (
    <Scroll label={title}>
      <table>
        <thead><tr>{columns.map((column, index) => <th key={index} scope="col">{column}</th>)}</tr></thead>
        <tbody>
          {rows.map((row, place) => (
            <tr key={place}>
              {row.map((cell, index) => index === 0
                ? <th key={index} scope="row">{text(cell)}</th>
                : <td key={index} className={typeof cell === "number" ? "number" : ""}>{text(cell)}</td>)}
            </tr>
          ))}
        </tbody>
      </table>
    </Scroll>
  );
}

/** A drawing with words for who does not see it, the table behind it, and both to take along. */
export function Figure({ title, summary, table, width, height, children }) {
  const svg = useRef(null);
  return (
    <figure>
      <figcaption>{title}</figcaption>
      <Scroll label={title}>
        <svg ref={svg} viewBox={`0 0 ${width} ${height}`} width={width} height={height} role="img"
          aria-label={`${title}. ${summary}`}>
          {children}
        </svg>
      </Scroll>
      <div className="tools">
        {["svg", "png"].map((kind) => (
          <button key={kind} type="button" aria-label={`${title} as ${kind.toUpperCase()}`}
            onClick={() => saveImage(title, svg.current, kind)}>{kind.toUpperCase()}</button>
        ))}
        <TableButtons title={title} table={table} />
        <details><summary>Table</summary><Table title={title} {...table} /></details>
      </div>
    </figure>
  );
}

// The page's data: blocks of JSON, each parsed when it is first asked for.

const parsed = new Map();

function block(id) {
  if (!parsed.has(id)) {
    const element = document.getElementById(id);
    parsed.set(id, element ? JSON.parse(element.textContent) : null);
  }
  return parsed.get(id);
}

/** What the page shows. */
export const read = () => block("data").data;

/** A part that is read when it is looked at; null if the page does not hold it. */
export const readPart = (name) => block(`part-${block("data").parts.indexOf(name)}`);

export const plantName = (plant) => `${plant.organism}@${plant.regime}`;

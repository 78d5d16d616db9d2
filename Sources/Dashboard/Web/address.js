// What is looked at, kept in the part of the address behind '#', so that a link brings it back.
import { useCallback, useEffect, useState } from "react";

/** Some texts as one that gives them back, whatever is in them. */
export const pack = (texts) => texts.map(encodeURIComponent).join(",");

/** The texts of `pack`; of what is none, nothing. */
export function unpack(text) {
  try {
    return text === undefined || text === "" ? [] : text.split(",").map(decodeURIComponent);
  } catch {
    return [];
  }
}

/** A place in a list that the address names; `otherwise` if it names none. */
export function placeIn(list, text, otherwise) {
  const place = /^\d+$/.test(text ?? "") ? Number(text) : -1;
  return place >= 0 && place < list.length ? place : otherwise;
}

const parse = () => Object.fromEntries(new URLSearchParams(location.hash.slice(1)));

function write(state) {
  const kept = Object.entries(state).filter(([, value]) => value !== undefined && value !== "");
  const text = new URLSearchParams(kept).toString();
  // Replaced, not added: the browser's back button leaves the page as it does elsewhere.
  history.replaceState(null, "", text ? `#${text}` : location.pathname + location.search);
}

/** The state of the address, and a function that changes some of its entries. */
export function useAddress() {
  const [state, setState] = useState(parse);
  useEffect(() => {
    const follow = () => setState(parse());
    addEventListener("hashchange", follow);
    return () => removeEventListener("hashchange", follow);
  }, []);
  const change = useCallback((entries) => {
    setState((old) => {
      const next = { ...old, ...entries };
      write(next);
      return next;
    });
  }, []);
  return [state, change];
}

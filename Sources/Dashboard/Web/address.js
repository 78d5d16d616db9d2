// What is looked at, kept in the part of the address behind '#', so that a link brings it back.
import { useCallback, useEffect, useState } from "react";

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

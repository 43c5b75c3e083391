/**
 * How fast something comes and when it will be here, from what was said of it now and then; knows neither what it is nor who says it.
 */
const WINDOW = 20_000;
const ENOUGH = 3_000; // a first second says little

export const unknownPace = Object.freeze({ stage: null, marks: Object.freeze([]) });

/** The pace with one more mark; another stage, or less than before, begins anew. */
export function paced(pace, { stage, done, total }, at) {
  if (done === null || total === null) return unknownPace;
  const last = pace.marks.at(-1);
  const goesOn = pace.stage === stage && last && last.total === total && last.done <= done;
  const marks = goesOn ? pace.marks.filter((mark) => at - mark.at <= WINDOW) : [];
  return Object.freeze({ stage, marks: Object.freeze([...marks, Object.freeze({ done, total, at })]) });
}

/** {speed, left}: so much in a second, and seconds until all is there; null until that can be told. */
export function paceOf({ marks }) {
  if (marks.length < 2) return null;
  const [first, last] = [marks[0], marks.at(-1)];
  const passed = last.at - first.at;
  const speed = passed < ENOUGH ? 0 : (1000 * (last.done - first.done)) / passed;
  return speed > 0 ? Object.freeze({ speed, left: (last.total - last.done) / speed }) : null;
}

/**
 * Lets a piece of work run at most once per animation frame, however often it is asked for; does not know what the work is.
 */
export function oncePerFrame(work, requestFrame) {
  let asked = false;
  return () => {
    if (asked) return;
    asked = true;
    requestFrame(() => {
      asked = false;
      work();
    });
  };
}

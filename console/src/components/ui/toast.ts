export interface Said {
  title: string;
  description?: string;
  error?: boolean;
}

// What shows toasts is loaded when there is something to say.
let waiting: Said[] = [];
let show: ((s: Said) => void) | undefined;
let wake = () => {};

function say(s: Said): void {
  if (show) show(s);
  else {
    waiting.push(s);
    wake();
  }
}

/** Says what happened. `description` tells the details. */
export const toast = {
  done: (title: string, description?: string) => say({ title, description }),
  error: (title: string, description?: string) => say({ title, description, error: true }),
};

/** Calls fn once somebody has something to say. */
export const onFirstToast = (fn: () => void): void => {
  wake = fn;
};

/** Hands over what was said, and what will be. */
export function takeToasts(fn: (s: Said) => void): void {
  show = fn;
  for (const s of waiting) fn(s);
  waiting = [];
}

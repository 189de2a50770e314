/** Colours of text on a terminal, for those who have not declined them (NO_COLOR). Pure. */

export interface Style {
  bold(text: string): string;
  dim(text: string): string;
  good(text: string): string;
  warning(text: string): string;
  bad(text: string): string;
}

function wrap(code: number): (text: string) => string {
  return (text) => `\u001b[${code}m${text}\u001b[0m`;
}

const coloured: Style = {
  bold: wrap(1),
  dim: wrap(2),
  good: wrap(32),
  warning: wrap(33),
  bad: wrap(31),
};

const same = (text: string): string => text;
const plain: Style = { bold: same, dim: same, good: same, warning: same, bad: same };

/** Colours go to terminals only, and not where NO_COLOR is set or the terminal is dumb. */
export function styleFor(
  isTerminal: boolean,
  environment: Readonly<Record<string, string | undefined>>,
): Style {
  const declined = (environment.NO_COLOR ?? "") !== "" || environment.TERM === "dumb";
  return isTerminal && !declined ? coloured : plain;
}

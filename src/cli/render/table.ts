/** Columns of text under headings, as wide as they need to be. Pure. */
import { stripVTControlCharacters } from "node:util";

export interface Column<Row> {
  readonly heading: string;
  readonly text: (row: Row) => string;
  /** Numbers stand on the right. */
  readonly right?: boolean;
}

const gap = "  ";

/** Lines without line ends; the headings first. Trailing blanks are left out. */
export function renderTable<Row>(
  rows: readonly Row[],
  columns: readonly Column<Row>[],
): readonly string[] {
  const cells = rows.map((row) => columns.map((column) => column.text(row)));
  const lines = [columns.map((column) => column.heading), ...cells];
  const widths = columns.map((_, at) => Math.max(...lines.map((line) => width(line[at] ?? ""))));
  return lines.map((line) =>
    line
      .map((cell, at) => pad(cell, widths[at] ?? 0, columns[at]?.right === true))
      .join(gap)
      .trimEnd(),
  );
}

/** Names with their values, `name   value` a line. */
export function renderFacts(facts: readonly (readonly [string, string])[]): readonly string[] {
  const widest = Math.max(0, ...facts.map(([name]) => width(name)));
  return facts.map(([name, value]) => `${pad(name, widest, false)}${gap}${value}`.trimEnd());
}

function pad(cell: string, to: number, right: boolean): string {
  const blanks = " ".repeat(Math.max(0, to - width(cell)));
  return right ? blanks + cell : cell + blanks;
}

function width(cell: string): number {
  return stripVTControlCharacters(cell).length;
}

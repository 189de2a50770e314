/** The table of commands holds together. */
import { expect, test } from "vitest";
import { optionsOf } from "#cli/command.ts";
import { commandGroups, commands } from "#cli/command-table.ts";
import { diskHealthOperations } from "#control/operations/disk-health.ts";
import { diskOperations } from "#control/operations/disks.ts";
import { packingOperations } from "#control/operations/packing.ts";
import { peerOperations } from "#control/operations/peers.ts";
import { systemOperations } from "#control/operations/system.ts";

test("names are unique, of one or two words", () => {
  const names = commands.map((command) => command.name);
  expect(new Set(names).size).toBe(names.length);
  expect(names.filter((name) => !/^[a-z-]+( [a-z-]+)?$/.test(name))).toEqual([]);
  expect(commandGroups.flatMap((group) => group.commands)).toEqual(commands);
});

test("an option is of one kind in all commands, for they are read before the command is known", () => {
  const kinds = new Map<string, string>();
  for (const option of commands.flatMap(optionsOf)) {
    const kind = `${option.value === undefined ? "switch" : "value"} ${option.short ?? ""}`;
    expect([option.name, kinds.get(option.name) ?? kind]).toEqual([option.name, kind]);
    kinds.set(option.name, kind);
  }
  const shorts = [...kinds].map(([name, kind]) => [kind.split(" ")[1], name] as const);
  const used = shorts.filter(([short]) => short !== "").map(([short]) => short);
  expect(new Set(used).size).toBe(used.length);
  expect(used).not.toContain("V");
});

test("everything says what it is, in the house style", () => {
  for (const { name, summary, description, positionals, examples } of commands) {
    expect([name, summary]).toEqual([name, summary.trim()]);
    expect(summary, name).toMatch(/^[a-z].*[^.]$/);
    expect(summary.length, name).toBeLessThan(70);
    for (const paragraph of description) expect(paragraph, name).toMatch(/^.*[.?]$/s);
    for (const { line } of examples) expect(line, name).toContain("cairn ");
    const optional = positionals.findIndex((one) => !one.required);
    const behind = optional < 0 ? [] : positionals.slice(optional);
    expect(
      behind.every((one) => !one.required),
      name,
    ).toBe(true);
  }
});

test("examples use options that exist", () => {
  const typed = (line: string): string[] =>
    line
      .replace(/^.*\bcairn /, "")
      .split(/\s+/)
      .filter((word) => /^--?[a-z]/.test(word));
  for (const command of commands) {
    const known = optionsOf(command).flatMap((option) => [
      `--${option.name}`,
      ...(option.short === undefined ? [] : [`-${option.short}`]),
    ]);
    for (const { line } of command.examples) {
      if (!line.includes(`cairn ${command.name}`)) continue;
      expect(
        typed(line).filter((word) => !known.includes(word)),
        line,
      ).toEqual([]);
    }
  }
});

test("every operation of the daemon has its command", () => {
  const byOperation = {
    status: "status",
    showConfig: "config show",
    version: "status",
    setLogLevel: "log-level",
    rebuildPacking: "packing rebuild",
    verifyPeers: "verify peers",
    listDisks: "disks",
    readSmart: "disk smart",
    selfTest: "disk smart",
    locateDisk: "disk locate",
  };
  const operations = {
    ...{ ...systemOperations, ...packingOperations, ...peerOperations },
    ...diskOperations,
    ...diskHealthOperations,
  };
  expect(Object.keys(byOperation).toSorted()).toEqual(Object.keys(operations).toSorted());
  const names = commands.map((command) => command.name);
  for (const name of Object.values(byOperation)) expect(names).toContain(name);
});

/** The options of `cairn bench`. */
import { expect, test } from "vitest";
import { benchSettings, benchTargets } from "#cli/bench/bench-options.ts";
import { stepName } from "#cli/bench/bench-step.ts";
import { commands } from "#cli/command-table.ts";
import { type ParsedArguments, parseArguments } from "#cli/parse-arguments.ts";

function given(...words: readonly string[]): ParsedArguments {
  const parsed = parseArguments(["bench", ...words], commands);
  if (parsed.kind !== "run") throw new Error("not a command");
  return parsed.arguments;
}

const here = [{ address: "127.0.0.1", port: 22122 }];

test("without options a short matrix is measured", () => {
  const settings = benchSettings(given());
  expect(settings).toMatchObject({
    rounds: 1,
    durationMs: 3000,
    count: undefined,
    warmUpMs: 500,
    checksums: false,
    keep: false,
    maxStoredBytes: 4 * 2 ** 30,
    timeoutMs: 30_000,
  });
  const names = settings.steps.map(stepName);
  expect(names).toHaveLength(24);
  expect(names.slice(0, 2)).toEqual(["upload 4KiB x1", "upload 4KiB x16"]);
});

test("everything can be said", () => {
  const settings = benchSettings(
    given(
      ...["--operations", "ping, upload", "--sizes", "1k,2k", "--connections", "2", "--fresh"],
      ...["--count", "50", "--rounds", "3", "--warm-up", "0s", "--verify", "--keep"],
      ...["--space", "1MiB", "--timeout", "2s"],
    ),
  );
  expect({ ...settings, steps: settings.steps.map(stepName) }).toEqual({
    steps: ["upload 1KiB x2 fresh", "upload 2KiB x2 fresh", "ping x2 fresh"],
    rounds: 3,
    durationMs: undefined,
    count: 50,
    warmUpMs: 0,
    checksums: true,
    keep: true,
    maxStoredBytes: 1_048_576,
    timeoutMs: 2000,
  });
  const listed = benchSettings(given("--step", "ping:1", "--step", "delete:1k:2"));
  expect(listed.steps.map(stepName)).toEqual(["ping x1", "delete 1KiB x2"]);
});

test.each([
  [["--count", "5", "--duration", "1s"], "--count and --duration exclude each other"],
  [["--step", "ping:1", "--fresh"], "--step and --fresh exclude each other"],
  [["--rounds", "0"], "--rounds 0 is no number from 1 to 100"],
  [["--count", "1e3"], "--count 1e3 is no number"],
  [["--duration", "5"], "--duration 5 is no time"],
  [["--duration", "25h"], "--duration 25h is no time"],
  [["--timeout", "0s"], "--timeout 0s is no time"],
  [["--space", "0"], "--space 0 is no size"],
  [["--sizes", ""], '"" is no size'],
])("%j is refused", (words, why) => {
  expect(() => benchSettings(given(...words))).toThrow(why);
});

test("one target is described by options of its own", () => {
  const all = benchTargets(
    given(
      ...["--storage", "10.0.0.5", "--pid", "4", "--pid", "5", "--label", "c"],
      ...["--durability", "never flushed", "--store-path", "/srv"],
    ),
    () => here,
  );
  expect(all).toEqual([
    {
      name: "c",
      trackers: [],
      storages: [{ address: "10.0.0.5", port: 23000 }],
      processes: [4, 5],
      durability: "never flushed",
      storePath: "/srv",
      socket: undefined,
    },
  ]);
  expect(benchTargets(given(), () => here)[0]).toMatchObject({ name: "cluster", trackers: here });
  const node = benchTargets(given("--socket", "cairn.sock"), () => here);
  expect(node[0]).toMatchObject({ socket: "cairn.sock", trackers: [] });
  const both = benchTargets(given("--storage", "10.0.0.5", "-t", "10.0.0.9"), () => here);
  expect(both[0]).toMatchObject({ trackers: here });
});

test("several targets have names of their own, and nothing beside them", () => {
  const targets = (...words: readonly string[]) => benchTargets(given(...words), () => here);
  const [a, b] = ["--target=a=tracker=10.0.0.1", "--target=b=storage=10.0.0.2"];
  expect(targets(a, b).map(({ name }) => name)).toEqual(["a", "b"]);
  expect(() => targets(a, a)).toThrow("two targets are called a");
  expect(() => targets(a, "--pid", "4")).toThrow("--pid is of one target: say it within --target");
  const many = Array.from({ length: 9 }, (_, at) => `--target=t${at}=tracker=10.0.0.1`);
  expect(() => targets(...many)).toThrow("at most 8 targets");
});

/** Completion as bash runs it: it offers what there is. The scripts of the other shells are looked at in their unit test. */
import { execFileSync } from "node:child_process";
import { writeFileSync } from "node:fs";
import { expect, test } from "vitest";
import { needs, program } from "../../../support/needs.ts";
import { TestWorld } from "../../../support/test-world.ts";

test("an unknown shell is wrong usage", async () => {
  const { code, errors } = await new TestWorld().run("completion", "tcsh");
  expect([code, errors]).toEqual([
    2,
    'cairn: error: "tcsh" is no shell we know: bash, zsh, fish\n',
  ]);
});

needs(program("bash", { apt: "bash" }))("bash completes words, options and files", async () => {
  const world = new TestWorld();
  const script = world.path("cairn.bash");
  writeFileSync(script, (await world.run("completion", "bash")).text);
  const complete = (...words: readonly string[]): string[] => {
    const call = [
      `source '${script}'`,
      `COMP_WORDS=(cairn ${words.map((word) => `'${word}'`).join(" ")})`,
      `COMP_CWORD=${words.length}`,
      "_cairn",
      `printf "%s\\n" "\${COMPREPLY[@]}"`,
    ];
    const options = { cwd: world.directory, encoding: "utf8" as const };
    return execFileSync("bash", ["-c", call.join("\n")], options)
      .split("\n")
      .filter(Boolean);
  };
  expect(complete("pu")).toEqual(["put"]);
  expect(complete("")).toContain("doctor");
  expect(complete("meta", "")).toEqual(["get", "set", "merge", "clear"]);
  expect(complete("put", "--pre")).toEqual(["--prefix"]);
  expect(complete("meta", "get", "--j")).toEqual(["--json"]);
  expect(complete("--tracker", "10.0.0.1", "ge")).toEqual(["get"]);
  expect(complete("put", "cairn")).toEqual(["cairn.bash"]);
  expect(complete("get", "--output", "cairn")).toEqual(["cairn.bash"]);
  expect(complete("log-level", "de")).toEqual(["debug"]);
  expect(complete("put", "--ext", "x")).toEqual([]);
});

/** The child's end: questions in, answers and news out. */
import { expect, test } from "vitest";
import { runProbeChild } from "#disks/probe/probe-child.ts";
import { encodeProbeLine, parseProbeMessage } from "#disks/probe/probe-messages.ts";
import type { ParentLink } from "#platform/parent-link.ts";
import { diskMachine } from "../../../support/disk-machines.ts";
import { ManualClock } from "../../../support/manual-clock.ts";
import { ScriptedChildren } from "../../../support/scripted-children.ts";
import { ScriptedCommands } from "../../../support/scripted-commands.ts";
import { turns } from "../../../support/settled.ts";

test("questions are answered one after the other, news told, and it ends with its parent", async () => {
  const files = diskMachine("usb-same-serial");
  const clock = new ManualClock();
  const said: string[] = [];
  const parent: ParentLink = {
    write: (text) => {
      // What speaks against disks has tests of its own.
      if (parseProbeMessage(text)?.kind !== "health") said.push(text);
    },
    onInput: () => {},
    onEnd: () => {},
  };
  const askPackage = (): Promise<string> => Promise.reject(new Error("none"));
  const world = { files, clock, commands: new ScriptedCommands(), askPackage };
  const kernel = { take: () => Promise.resolve([]) };
  const running = runProbeChild({ world, children: new ScriptedChildren(), parent, kernel });
  const kinds = (): readonly unknown[] => said.map((line) => parseProbeMessage(line)?.kind);
  expect(kinds()).toEqual(["ready"]);
  const question = { avoidDisks: [], ownDirectories: [], lookInto: [] };
  const lines = [1, 2].map((id) => encodeProbeLine({ id, ...question })).join("");
  parent.onInput(Buffer.from(lines.slice(0, 20)));
  parent.onInput(Buffer.from(`${lines.slice(20)}nonsense\n`));
  for (let slices = 0; slices < 40; slices += 1) {
    await turns(2);
    clock.advance(25);
  }
  expect(kinds()).toEqual(["ready", "at", "at", "round", "at", "at", "round"]);
  files.remove("/sys/block/sdc");
  clock.advance(500);
  expect(said.slice(7).map((line) => parseProbeMessage(line))).toEqual([
    { kind: "news", names: ["sdc"] },
  ]);
  parent.onEnd();
  await running;
  said.length = 0;
  files.remove("/sys/block/sdb");
  clock.advance(5000);
  expect(said).toEqual([]);
});

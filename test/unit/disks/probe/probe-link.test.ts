/** The daemon's end, with children whose part the test plays. */
import { expect, test } from "vitest";
import { ProbeLink } from "#disks/probe/probe-link.ts";
import { encodeProbeLine, type RoundAnswer } from "#disks/probe/probe-messages.ts";
import { ManualClock } from "../../../support/manual-clock.ts";
import { ScriptedChildren } from "../../../support/scripted-children.ts";

const request = { avoidDisks: [], ownDirectories: ["/data"], lookInto: [] };

function answer(id: number): RoundAnswer {
  return {
    ...{ kind: "round", id, disks: [], avoided: [], silentMounts: {}, stuck: 0, tookMs: 1 },
  };
}

function stage() {
  const clock = new ManualClock();
  const children = new ScriptedChildren();
  const news: (readonly string[])[] = [];
  const link = new ProbeLink({ children, clock, onNews: (names) => news.push(names) });
  const say = (message: Parameters<typeof encodeProbeLine>[0]): void =>
    children.last.say(encodeProbeLine(message));
  return { clock, children, news, link, say };
}

async function codeOf(promise: Promise<unknown>): Promise<unknown> {
  const error = (await promise.then(
    () => undefined,
    (reason: unknown) => reason,
  )) as { readonly code?: string; readonly message?: string } | undefined;
  return error === undefined ? "answered" : `${error.code}: ${error.message}`;
}

test("the first question waits for the child to be there", async () => {
  const { children, link, say } = stage();
  const first = link.round(request);
  expect(children.last.words).toEqual(["self", "probe"]);
  expect(children.last.written).toEqual([]);
  say({ kind: "ready" });
  expect(children.last.written).toEqual([encodeProbeLine({ id: 1, ...request })]);
  say(answer(1));
  expect(await first).toEqual(answer(1));
  const second = link.round(request);
  say(answer(1));
  say(answer(2));
  expect((await second).id).toBe(2);
  expect(children.started).toHaveLength(1);
});

test("news come at any time", () => {
  const { link, news, say } = stage();
  link.start();
  say({ kind: "ready" });
  say({ kind: "news", names: ["sdb"] });
  expect(news).toEqual([["sdb"]]);
});

test("a child that does not answer is left behind, with the disk that it was at", async () => {
  const { clock, children, link, say } = stage();
  const hung = link.round(request);
  say({ kind: "ready" });
  say({ kind: "at", disk: "sdc" });
  clock.advance(5000);
  expect(await codeOf(hung)).toBe("probe-hung: the probe does not answer, and was last at sdc");
  expect(children.last.isAbandoned).toBe(true);
  const next = link.round(request);
  expect(children.started).toHaveLength(2);
  say({ kind: "ready" });
  say(answer(2));
  expect((await next).id).toBe(2);
});

test("a child that does not start, ends, or says what has no end is given up", async () => {
  const { clock, children, link, say } = stage();
  const slow = link.round(request);
  clock.advance(30_000);
  expect(await codeOf(slow)).toBe("probe-hung: the probe does not start");
  const ended = link.round(request);
  children.last.end("ended with 9: out of memory");
  expect(await codeOf(ended)).toBe("probe-ended: the probe ended with 9: out of memory");
  const endless = link.round(request);
  say({ kind: "ready" });
  for (let count = 0; count < 5; count += 1) children.last.say("x".repeat(2 ** 20));
  expect(await codeOf(endless)).toBe("probe-ended: the probe said what is no answer");
  const stopped = link.round(request);
  link.replace();
  expect(await codeOf(stopped)).toBe("probe-stopped: the probe was stopped");
  expect(clock.pending).toBe(0);
});

/** Targets as people write them. */
import { expect, test } from "vitest";
import { parseProcess, parseStorage, parseTarget } from "#cli/bench/target-spec.ts";

test("a target is told with all that it has", () => {
  expect(
    parseTarget(
      "c one=tracker=10.0.0.5,storage=10.0.0.6:23001,pid=12,pid=13,durability=never=flushed,store-path=/srv/a",
    ),
  ).toEqual({
    name: "c one",
    trackers: [{ address: "10.0.0.5", port: 22122 }],
    storages: [{ address: "10.0.0.6", port: 23001 }],
    processes: [12, 13],
    durability: "never=flushed",
    storePath: "/srv/a",
    socket: undefined,
  });
  expect(parseTarget("a=socket=data/cairn.sock")).toMatchObject({
    socket: "data/cairn.sock",
    trackers: [],
    storages: [],
  });
});

test.each([
  ["nothing", "has no name"],
  ["=tracker=a", "has no name"],
  ["a=pid=1", "needs a tracker, a storage or the socket"],
  ["a=tracker=10.0.0.5,port=3", '"port" is none of tracker'],
  ["a=tracker=", "tracker has no value"],
  ["a=tracker", "tracker has no value"],
  ["a=socket=x,socket=y", "socket stands twice"],
  ["a=tracker=1.2.3.4:99999", "is not the address of a tracker"],
  ["a=storage=1.2.3.4,pid=x", "is no process"],
])("%s is refused", (text, why) => {
  expect(() => parseTarget(text)).toThrow(why);
});

test("a storage has FastDFS's port when none is told, a process a number", () => {
  expect(parseStorage("10.0.0.6")).toEqual({ address: "10.0.0.6", port: 23000 });
  expect(parseProcess("812")).toBe(812);
  for (const text of ["0", "-1", "1e3", ""]) expect(() => parseProcess(text)).toThrow("no process");
});

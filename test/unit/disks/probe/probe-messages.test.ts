import { expect, test } from "vitest";
import {
  encodeProbeLine,
  type ProbeMessage,
  parseProbeMessage,
  parseRoundRequest,
} from "#disks/probe/probe-messages.ts";
import { diskFacts, mountFacts, partitionFacts } from "../../../support/disk-facts.ts";

test("what one end says the other understands", () => {
  const request = { id: 3, avoidDisks: ["sda#7"], ownDirectories: ["/var/lib"], lookInto: ["*"] };
  expect(parseRoundRequest(encodeProbeLine(request))).toEqual(request);
  const disks = [
    diskFacts({ mounts: [mountFacts()], partitions: [partitionFacts({ mounts: [mountFacts()] })] }),
  ];
  const messages: ProbeMessage[] = [
    { kind: "ready" },
    { kind: "at", disk: "sda" },
    { kind: "news", names: ["sdb", "mounts"] },
    {
      ...{ kind: "round", id: 3, disks, avoided: ["sda#7"], tookMs: 1.5, stuck: 2 },
      silentMounts: { "/srv/a": 300 },
    },
  ];
  for (const message of messages) {
    // JSON leaves out what is undefined.
    expect(parseProbeMessage(encodeProbeLine(message))).toEqual(
      JSON.parse(JSON.stringify(message)),
    );
  }
});

test("lines of no use are none", () => {
  const lines = ["", "{", "null", "7", '{"kind":"round","id":1}', '{"kind":"at"}', '{"kind":"x"}'];
  for (const line of lines) expect(parseProbeMessage(line)).toBeUndefined();
  for (const line of ["", "[]", '{"id":"1"}']) expect(parseRoundRequest(line)).toBeUndefined();
  expect(parseRoundRequest('{"id":1,"lookInto":[1,"sda"]}')).toEqual({
    ...{ id: 1, avoidDisks: [], ownDirectories: [], lookInto: ["sda"] },
  });
});

test("what is no disk is left out of a round", () => {
  const round = { kind: "round", id: 1, tookMs: 1, stuck: 0 };
  const parts = [{ name: "sda1" }];
  const disks = [null, 1, {}, { ...diskFacts(), partitions: parts }, diskFacts({ name: "sdb" })];
  const message = parseProbeMessage(JSON.stringify({ ...round, disks }));
  expect(message?.kind === "round" && message.disks.map(({ name }) => name)).toEqual(["sdb"]);
});

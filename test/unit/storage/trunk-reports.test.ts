import { expect, test } from "vitest";
import { GroupName } from "#model/group-name.ts";
import type { FrameClient } from "#net/frame-client.ts";
import type { AnyMessage } from "#protocol/message.ts";
import { WireStatusError } from "#protocol/wire-status.ts";
import type { PackingControl } from "#storage/packing-control.ts";
import { defaultTrunkParameters } from "#storage/trunk-parameters.ts";
import { TrunkReports } from "#storage/trunk-reports.ts";
import type { TrunkServer } from "#storage/trunk-server.ts";
import { collectedLog } from "../../support/frame-fixture.ts";

const ours = { ...defaultTrunkParameters, leases: true };
const original = { ...defaultTrunkParameters, enabled: true };

/** What the reports say and hear, in words; `refused` names messages that the tracker refuses, and with what. */
function reports(state: TrunkServer["state"], refused: Readonly<Record<string, number>> = {}) {
  const said: string[] = [];
  const heard: string[] = [];
  const server = {
    state,
    currentFileId: 7,
    freeMb: 63,
    learnFileId: (id: number) => heard.push(`number ${id}`),
  };
  const control = {
    wanted: 3,
    learnParameters: () => heard.push("parameters"),
    learnLease: async ({ mode }: { mode: string }) => {
      heard.push(mode);
    },
    learnNoLeases: () => heard.push("no leases"),
    tidyUp: () => heard.push("tidy"),
  };
  const replies: Readonly<Record<string, unknown>> = {
    leaseTrunkFiles: { mode: "leased", first: 1, count: 3 },
    fetchTrunkFileId: { fileId: 5 },
  };
  const client = {
    call: async ({ name }: AnyMessage, request: unknown) => {
      said.push(`${name} ${JSON.stringify(request) ?? ""}`.trim());
      const status = refused[name];
      if (status !== undefined) throw new WireStatusError(status, "as told");
      return replies[name];
    },
  } as unknown as FrameClient;
  const trunk = new TrunkReports({
    ...{ log: collectedLog().log, group: GroupName("group1") },
    control: control as unknown as PackingControl,
    server: server as unknown as TrunkServer,
  });
  return { trunk, client, said, heard, server };
}

test("a tracker of ours is asked for numbers, and its answer counts", async () => {
  const { trunk, client, said, heard } = reports("off");
  await trunk.attend({ client, parameters: ours, leads: true });
  expect(said).toEqual(['leaseTrunkFiles {"group":"group1","wanted":3}']);
  expect(heard).toEqual(["parameters", "leased", "tidy"]);
});

test("C's trackers are not asked; where one leads, leases are over", async () => {
  const { trunk, client, said, heard } = reports("off");
  await trunk.attend({ client, parameters: original, leads: true });
  await trunk.attend({ client, parameters: original, leads: false });
  expect([said, heard]).toEqual([[], ["parameters", "no leases", "tidy", "parameters", "tidy"]]);
});

test("a follower's refusal changes nothing, a broken connection is the caller's", async () => {
  const { trunk, client, heard } = reports("off", { leaseTrunkFiles: 95 });
  await trunk.attend({ client, parameters: ours, leads: true });
  expect(heard).toEqual(["tidy"]);
  const broken = {
    call: async () => Promise.reject(new Error("broken")),
  } as unknown as FrameClient;
  await expect(trunk.attend({ client: broken, parameters: ours, leads: true })).rejects.toThrow(
    "broken",
  );
});

test("a new trunk server asks for the newest number, and reports what changes", async () => {
  const { trunk, client, said, heard, server } = reports("waiting-for-number");
  const attend = (): Promise<void> => trunk.attend({ client, parameters: original, leads: false });
  await attend();
  expect(heard).toContain("number 5");
  server.state = "serving";
  await attend();
  await attend();
  server.freeMb = 62;
  await attend();
  expect(said).toEqual([
    "fetchTrunkFileId",
    'reportTrunkFileId {"fileId":7}',
    'reportTrunkFree {"freeMb":63}',
    'reportTrunkFree {"freeMb":62}',
  ]);
});

test("what C refuses because it has not heard of the trunk server is reported again", async () => {
  const { trunk, client, said } = reports("serving", { reportTrunkFree: 22 });
  const attend = (): Promise<void> => trunk.attend({ client, parameters: original, leads: false });
  await attend();
  await attend();
  expect(said.map((text) => text.split(" ")[0])).toEqual([
    ...["reportTrunkFileId", "reportTrunkFree", "reportTrunkFree"],
  ]);
});

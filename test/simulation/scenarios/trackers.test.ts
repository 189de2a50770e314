/** What the simulation found about several trackers. */
import { expect, test } from "vitest";
import { replicaDifferences } from "../checkers/replicas.ts";
import { groupOf, scenario } from "./stage.ts";

test("what a storage heard of a tracker that led for a moment does not stay", async () => {
  // Seed 225: that tracker had called a member OFFLINE; the one that led all along had nothing new to tell.
  await scenario({ trackers: 2, storages: groupOf(2) }, async (stage) => {
    const { client, cluster, storage, pass } = stage;
    await pass(10_000);
    const { fabric, trackerMachines } = cluster;
    const [leader] = (await client.trackerStatus()).map((each) => each.leader);
    const follower = trackerMachines.find(
      ({ address }) => leader?.startsWith(`${address}:`) === false,
    );
    const other = trackerMachines.find((each) => each !== follower);
    const between = (
      one: string | undefined,
      two: string | undefined,
      what: "block" | "unblock",
    ) => {
      for (const [from = "", to = ""] of [
        [one, two],
        [two, one],
      ])
        fabric[what](from, to);
    };
    for (const member of [storage(0), storage(1)]) {
      between(follower?.address, other?.address, "block");
      between(follower?.address, member.address, "block");
      await pass(30_000);
      between(follower?.address, other?.address, "unblock");
      await pass(60_000);
      for (let file = 0; file < 4; file += 1) await client.upload(Buffer.from(`file ${file}`));
      await pass(20_000);
      expect(replicaDifferences(cluster)).toEqual([]);
      between(follower?.address, member.address, "unblock");
      await pass(20_000);
    }
  });
});

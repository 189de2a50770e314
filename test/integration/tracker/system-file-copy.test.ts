import { expect, test } from "vitest";
import { GroupName } from "#model/group-name.ts";
import { getSysFilesStart } from "#protocol/fastdfs/tracker-cluster.ts";
import { copySystemFiles, wholeSystemFile } from "#tracker/system-file-copy.ts";
import { refusal, TrackerHarness } from "../../support/tracker-harness.ts";

test("what one tracker knows another one reads, in as many parts as it takes", async () => {
  await using harness = await TrackerHarness.start();
  for (let at = 0; at < 40; at += 1) {
    await harness.joined(`127.0.1.${at + 1}`, { group: GroupName(`group${at}`) });
  }
  const client = await harness.client();
  const { saved, problems } = await copySystemFiles(client);
  expect([saved.groups.length, saved.storages.length, problems]).toEqual([40, 40, []]);
  // It was given back.
  expect(await refusal(client.call(getSysFilesStart, undefined))).toBe(0);
});

test("a file that is longer than one wants is not read", async () => {
  await using harness = await TrackerHarness.start();
  await harness.joined("127.0.0.2");
  const client = await harness.client();
  await expect(wholeSystemFile(client, 0, 10)).rejects.toThrowError(/at most 10 are read/);
  expect((await wholeSystemFile(client, 3, 10)).length).toBe(0);
});

test("a tracker without groups, or whose files somebody else copies, gives none", async () => {
  await using harness = await TrackerHarness.start();
  const [first, second] = [await harness.client(), await harness.client()];
  expect(await refusal(copySystemFiles(first))).toBe(2);
  await harness.joined("127.0.0.2");
  await first.call(getSysFilesStart, undefined);
  expect(await refusal(copySystemFiles(second))).toBe(16);
});

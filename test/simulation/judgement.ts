/** After the trouble: what the clients were promised is looked for, by a client and on the disks. */
import { AppError } from "#base/app-error.ts";
import { FastdfsClient } from "#client/fastdfs-client.ts";
import { type Clock, delay } from "#platform/clock.ts";
import type { Capabilities } from "./capabilities.ts";
import { replicaDifferences } from "./checkers/replicas.ts";
import type { SimulatedCluster } from "./cluster.ts";
import { describeContent, type KnownFile, type Manifest } from "./manifest.ts";

/** Replicas are the same within this time: what was set aside is tried again with growing pauses. */
const convergenceMs = 300_000;
/** A cluster that is well again answers within this time. */
const patienceMs = 60_000;
const pauseMs = 1000;
const convergenceStepMs = 5000;

export async function judge(
  cluster: SimulatedCluster,
  manifest: Manifest,
  can: Capabilities,
): Promise<void> {
  const { network, clock } = cluster.outsider("judge", "10.0.3.1");
  const limits = { connectTimeoutMs: 2000, networkTimeoutMs: 8000, trackerRestMs: 500 };
  const client = new FastdfsClient({ trackers: cluster.trackers, network, clock, limits });
  if (can.replication) await untilAlike(cluster, manifest, clock);
  const untilMs = clock.monotonicMs() + patienceMs;
  const ask = async <T>(
    what: string,
    act: () => Promise<T>,
  ): Promise<T | "missing" | undefined> => {
    for (;;) {
      try {
        return await act();
      } catch (error) {
        if (!(error instanceof AppError)) throw error;
        if (error.code === "file-missing") return "missing";
        if (clock.monotonicMs() > untilMs) {
          manifest.violation(`${what} does not work when all is well again: ${error.message}`);
          return undefined;
        }
        await delay(clock, pauseMs);
      }
    }
  };
  for (const group of cluster.groups) {
    const content = Buffer.from(`a last file for ${group}`);
    const id = await ask(`uploading to ${group}`, () => client.upload(content, { group }));
    if (id !== undefined) manifest.add(id, content);
  }
  for (const file of manifest.files) {
    const read = await ask(`reading ${file.id}`, () => client.downloadBytes(file.id));
    if (read !== undefined) judgeContent(manifest, file, read === "missing" ? undefined : read);
    if (read === undefined || read === "missing") continue;
    const entries = await ask(`the metadata of ${file.id}`, () => client.getMetadata(file.id));
    const value = entries === "missing" ? undefined : entries?.find(([key]) => key === "key")?.[1];
    if (file.metadata.includes(value)) continue;
    const expected = file.metadata.map(String).join(" or ");
    manifest.violation(`${file.id} has the metadata ${value} at the end instead of ${expected}`);
  }
  if (can.election) {
    await judgeLeader(client, manifest, async () => {
      await delay(clock, pauseMs);
      return clock.monotonicMs() < untilMs;
    });
  }
  client.close();
}

async function untilAlike(
  cluster: SimulatedCluster,
  manifest: Manifest,
  clock: Clock,
): Promise<void> {
  const untilMs = clock.monotonicMs() + convergenceMs;
  for (;;) {
    const differences = replicaDifferences(cluster);
    if (differences.length === 0) return;
    if (clock.monotonicMs() > untilMs) {
      for (const difference of differences) manifest.violation(difference);
      return;
    }
    await delay(clock, convergenceStepMs);
  }
}

function judgeContent(manifest: Manifest, file: KnownFile, content: Buffer | undefined): void {
  if (content === undefined) {
    if (file.existence === "there") manifest.violation(`${file.id} was acknowledged and is lost`);
    return;
  }
  if (file.existence === "deleted") {
    manifest.violation(`${file.id} was deleted and is there at the end`);
  } else if (!file.contested && !file.possible.some((each) => each.equals(content))) {
    const expected = file.possible.map(describeContent).join(" or ");
    manifest.violation(`${file.id} ends as ${describeContent(content)} instead of ${expected}`);
  }
}

/** All trackers name the same one, and it is one of them. */
async function judgeLeader(
  client: FastdfsClient,
  manifest: Manifest,
  wait: () => Promise<boolean>,
): Promise<void> {
  for (;;) {
    const statuses = await client.trackerStatus();
    const named = [...new Set(statuses.map(({ leader }) => leader))];
    const [leader] = named;
    const places = statuses.map(({ tracker }) => `${tracker.address}:${tracker.port}`);
    if (named.length === 1 && leader !== undefined && places.includes(leader)) return;
    if (await wait()) continue;
    const words = statuses.map((each, at) => `${places[at]} says ${each.leader ?? each.problem}`);
    manifest.violation(`the trackers do not agree who leads: ${words.join(", ")}`);
    return;
  }
}

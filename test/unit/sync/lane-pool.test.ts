import { expect, test } from "vitest";
import { LanePool } from "#sync/lane-pool.ts";
import type { PushLane } from "#sync/push.ts";

class Lane implements PushLane {
  readonly maxRecords = 1;
  usable = true;
  push = async () => [];
  keepAlive = async () => {};
  close(): void {
    this.usable = false;
  }
}

test("a lane is opened when it is needed, and anew when it has become useless", async () => {
  const opened: Lane[] = [];
  const pool = new LanePool(async () => {
    const lane = new Lane();
    opened.push(lane);
    return lane;
  });
  expect(pool.idle(0)).toBeUndefined();
  const first = await pool.at(0);
  expect(await pool.at(0)).toBe(first);
  first.close();
  expect(pool.idle(0)).toBeUndefined();
  expect(await pool.at(0)).not.toBe(first);
  expect(opened.length).toBe(2);
});

test("a lane that opens after all were closed is closed as well", async () => {
  const lane = new Lane();
  let open = (): void => {};
  const pool = new LanePool(
    () =>
      new Promise((resolve) => {
        open = () => resolve(lane);
      }),
  );
  const waiting = pool.at(0);
  pool.closeAll();
  open();
  await expect(waiting).rejects.toThrow("sending has ended");
  expect(lane.usable).toBe(false);
});

/** Roles stop together. */
import { expect, test } from "vitest";
import { RoleStack } from "#daemon/running-role.ts";

test("roles stop beginning with the last, and one that fails keeps no other from it", async () => {
  const stack = new RoleStack();
  const stopped: string[] = [];
  for (const name of ["tracker", "storage", "gateway"]) {
    stack.push(name, {
      stop: async (deadlineMs) => {
        stopped.push(`${name} in ${deadlineMs}`);
        if (name === "storage") throw new Error("stuck");
      },
    });
  }
  expect(await stack.stop(500)).toEqual([{ name: "storage", error: new Error("stuck") }]);
  expect(stopped).toEqual(["gateway in 500", "storage in 500", "tracker in 500"]);
});

test("a second stop has nothing to do", async () => {
  const stack = new RoleStack();
  let stops = 0;
  stack.push("tracker", {
    stop: async () => {
      stops += 1;
    },
  });
  await stack.stop(0);
  await stack.stop(0);
  expect(stops).toBe(1);
});

test("roles stop side by side: one that takes long holds up none", async () => {
  const stack = new RoleStack();
  const slow = Promise.withResolvers<void>();
  let trackerStopped = false;
  stack.push("tracker", {
    stop: async () => {
      trackerStopped = true;
    },
  });
  stack.push("storage", { stop: () => slow.promise });
  const stopping = stack.stop(1000);
  await Promise.resolve();
  expect(trackerStopped).toBe(true);
  slow.resolve();
  expect(await stopping).toEqual([]);
});

/** What the simulation found about itself where the power goes. */
import { expect, test } from "vitest";
import { scenario } from "./stage.ts";

test("whoever is to start a process again waits for the power, and then it can be reached", async () => {
  // Seed 452: killed and then without power, a storage was started by the end of the first trouble, ran where nobody could reach it,
  // and was never switched on, since it ran.
  await scenario({}, async ({ client, storage, pass }) => {
    const machine = storage(0);
    machine.kill();
    machine.losePower();
    machine.start();
    expect(machine.runs).toBe(false);
    machine.powerOn();
    await pass(10_000);
    const id = await client.upload(Buffer.from("abc"));
    expect((await client.downloadBytes(id)).toString()).toBe("abc");
  });
});

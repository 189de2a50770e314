/** What `/proc` tells of processes and of the machine. */
import { expect, test } from "vitest";
import { machineFacts, parseCpuModel } from "#cli/bench/machine-facts.ts";
import { parseCpuSeconds, parsePeakBytes, usageOf } from "#cli/bench/process-usage.ts";
import { testMachine } from "../../../support/test-world.ts";

const stat = (name: string, user: number, system: number): string =>
  `812 (${name}) S 1 812 812 0 -1 4194560 9 0 0 0 ${user} ${system} 0 0 20 0 11 0 123 0 0`;
const status = (kib: number): string => `Name:\tfdfs\nVmPeak:\t 999 kB\nVmHWM:\t   ${kib} kB\n`;

function filesOf(texts: Readonly<Record<string, string>>) {
  return {
    readText: async (path: string): Promise<string | undefined> => {
      if (path.includes("13")) throw new Error("permission denied");
      return texts[path];
    },
  };
}

test("CPU time is user and system time, whatever the program is called", () => {
  expect(parseCpuSeconds(stat("fdfs_storaged", 150, 50))).toBe(2);
  expect(parseCpuSeconds(stat("a) S 1 (b", 1, 1))).toBe(0.02);
  expect(parseCpuSeconds("")).toBeUndefined();
});

test("peak memory is that of the resident set", () => {
  expect(parsePeakBytes(status(2048))).toBe(2 * 1024 * 1024);
  expect(parsePeakBytes("Name:\tkthreadd\n")).toBeUndefined();
});

test("several processes add up; one that cannot be looked at makes all unknown", async () => {
  const files = filesOf({
    "/proc/11/stat": stat("a", 100, 0),
    "/proc/11/status": status(1),
    "/proc/12/stat": stat("b", 0, 100),
    "/proc/12/status": status(2),
  });
  expect(await usageOf(files, [11, 12])).toEqual({ cpuSeconds: 2, peakBytes: 3072 });
  expect(await usageOf(files, [11, 14])).toBeUndefined();
  expect(await usageOf(files, [11, 13])).toBeUndefined();
  expect(await usageOf(files, [])).toBeUndefined();
});

test("the machine is told with its CPU", async () => {
  const files = filesOf({ "/proc/cpuinfo": "processor\t: 0\nmodel name\t: AMD EPYC\n" });
  expect(await machineFacts(testMachine, files)).toEqual({
    cpu: "AMD EPYC",
    cpuCount: 2,
    memoryBytes: 2 ** 31,
    system: "Linux 6.12.0 x64",
    node: "26.10.0",
  });
  expect(parseCpuModel("processor : 0\nCPU part\t: 0xd08\n")).toBe("part 0xd08");
  expect(parseCpuModel("processor : 0\n\nModel\t\t: Raspberry Pi 4\n")).toBe("Raspberry Pi 4");
  expect(parseCpuModel("")).toBe("unknown");
  const broken = { readText: () => Promise.reject(new Error("no /proc")) };
  expect((await machineFacts(testMachine, broken)).cpu).toBe("unknown");
});

/** Who sends which command to whom. */

const toTracker = (from: string): readonly [string, string] => [from, "tracker"];
const toStorage = (from: string): readonly [string, string] => [from, "storage"];

/** Sender and receiver of a request. */
export function directions(command: number): readonly [string, string] {
  if (command === 82 || command === 111) return ["anybody", "tracker or storage"];
  if (command === 75 || command === 69 || command === 109) return toTracker("storage or client");
  if ([58, 61, 62, 63, 64, 65, 66, 67].includes(command)) return toTracker("tracker");
  if (command === 180 || command === 181 || (command >= 59 && command <= 89)) return toTracker("storage");
  if (command >= 182) return toStorage("storage");
  if (command >= 90) return toTracker("client");
  if (command === 31 || command === 32) return toStorage("tracker");
  if ([9, 16, 17, 18, 19, 25, 26, 27, 28, 29, 30, 33, 35, 37, 40].includes(command)) {
    return toStorage("storage");
  }
  if (command === 14 || command === 20 || command === 22) return toStorage("client or storage");
  return toStorage("client");
}

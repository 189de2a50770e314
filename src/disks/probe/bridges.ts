/**
 * USB bridges that give whatever disk hangs on them the same serial. Known ones stand in the table; the others give themselves away by
 * serials that nobody would number disks with, or by two of them telling the same one at the same time. Data, and pure.
 */

export interface KnownBridge {
  readonly vendorId: string;
  /** Undefined: all products of the vendor. */
  readonly productId?: string;
  readonly name: string;
  /** One serial for all of its disks. */
  readonly hidesSerial: boolean;
}

/**
 * Common ones, from hearsay and not from tries of ours: the serial is set by whoever builds the enclosure, so that one of a marked kind
 * may tell the disk's own (which is lost then, where nobody else knows it), and one that is not marked may hide it (which shows).
 */
export const knownBridges: readonly KnownBridge[] = [
  { vendorId: "152d", productId: "0561", name: "JMicron JMS561", hidesSerial: true },
  { vendorId: "152d", productId: "0562", name: "JMicron JMS562", hidesSerial: true },
  { vendorId: "152d", productId: "0567", name: "JMicron JMS567", hidesSerial: true },
  { vendorId: "152d", productId: "0578", name: "JMicron JMS578", hidesSerial: true },
  { vendorId: "152d", productId: "0583", name: "JMicron JMS583", hidesSerial: true },
  { vendorId: "152d", productId: "1561", name: "JMicron JMS561U", hidesSerial: true },
  { vendorId: "152d", productId: "2329", name: "JMicron JM20329", hidesSerial: true },
  { vendorId: "152d", productId: "2338", name: "JMicron JM20337", hidesSerial: true },
  { vendorId: "152d", productId: "2509", name: "JMicron JMS539", hidesSerial: true },
  { vendorId: "152d", productId: "3562", name: "JMicron JMS562", hidesSerial: true },
  { vendorId: "152d", productId: "9561", name: "JMicron JMS561", hidesSerial: true },
  { vendorId: "174c", productId: "1051", name: "ASMedia ASM1051", hidesSerial: true },
  { vendorId: "174c", productId: "1153", name: "ASMedia ASM1153", hidesSerial: true },
  { vendorId: "174c", productId: "2362", name: "ASMedia ASM2362", hidesSerial: true },
  { vendorId: "174c", productId: "5106", name: "ASMedia ASM1051", hidesSerial: true },
  { vendorId: "174c", productId: "5136", name: "ASMedia ASM1053", hidesSerial: true },
  { vendorId: "174c", productId: "55aa", name: "ASMedia ASM1051/1053/1153", hidesSerial: true },
  { vendorId: "2109", productId: "0711", name: "VIA Labs VL711", hidesSerial: true },
  { vendorId: "2109", productId: "0715", name: "VIA Labs VL715/716", hidesSerial: true },
  { vendorId: "0bda", productId: "9201", name: "Realtek RTL9201", hidesSerial: true },
  { vendorId: "0bda", productId: "9210", name: "Realtek RTL9210", hidesSerial: true },
  { vendorId: "04fc", productId: "0c25", name: "Sunplus SPIF225", hidesSerial: true },
  { vendorId: "05e3", productId: "0718", name: "Genesys Logic GL3310", hidesSerial: true },
  { vendorId: "05e3", productId: "0735", name: "Genesys Logic GL3321", hidesSerial: true },
  { vendorId: "067b", productId: "2773", name: "Prolific PL2773", hidesSerial: true },
  { vendorId: "13fd", productId: "1340", name: "Initio INIC-1610", hidesSerial: true },
  { vendorId: "13fd", productId: "3940", name: "Initio INIC-3609", hidesSerial: true },
  { vendorId: "357d", productId: "7788", name: "Sharkoon QuickPort XT", hidesSerial: true },
  { vendorId: "0480", productId: "a202", name: "Toshiba Canvio", hidesSerial: false },
  { vendorId: "0bc2", name: "Seagate", hidesSerial: false },
  { vendorId: "1058", name: "Western Digital", hidesSerial: false },
  { vendorId: "0781", name: "SanDisk", hidesSerial: false },
  { vendorId: "04e8", name: "Samsung", hidesSerial: false },
];

export function knownBridge(vendorId: string, productId: string): KnownBridge | undefined {
  const same = knownBridges.filter((each) => each.vendorId === vendorId);
  return (
    same.find((each) => each.productId === productId) ??
    same.find((each) => each.productId === undefined)
  );
}

/** Longest runs first: `0123456789ABCDEF` and what is cut from it or turned round. */
const counting = ["0123456789ABCDEF0123456789ABCDEF", "1234567890123456789012345678901234567890"];
/** Of bridges whose builder never changed the number of the reference design. */
const ofReferenceDesigns = [
  /^DD56419883[0-9A-F]{0,6}$/,
  /^0{0,8}RANDOM/,
  /^(?:MSFT30|SERIALNUMBER|SERIAL|NONE|N\/A|UNKNOWN|DEFAULT|TEST)/,
];
const fewCharacters = 4;

/** A serial that is the same in every enclosure of its kind: a dummy, not a number. */
export function isDummySerial(serial: string): boolean {
  const plain = serial.toUpperCase().replace(/[\s._:-]/g, "");
  // What is shorter is no serial of a disk.
  if (plain.length < fewCharacters) return true;
  if (/^(.)\1*$/.test(plain)) return true;
  const turned = [...plain].reverse().join("");
  if (counting.some((run) => run.includes(plain) || run.includes(turned))) return true;
  // Some put zeros before or behind, to come to the 12 digits that USB asks for.
  const core = plain.replace(/^0+|0+$/g, "");
  if (core.length <= 2) return true;
  if (core.length >= 6 && counting.some((run) => run.includes(core))) return true;
  return ofReferenceDesigns.some((pattern) => pattern.test(plain));
}

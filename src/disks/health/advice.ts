/** What an owner is told to do about a disk. Whole sentences, for people who hold a screwdriver and have never read a manual. */

export const replaceNow =
  "Take the disk out and put a new one in; its files are fetched again from the other boxes.";

export const checkThenReplace =
  "Check that cable and power of the disk sit well. If it stays like this, replace it: its files are fetched again from the other boxes.";

export const replaceSoon =
  "Replace the disk soon: retire it first, so that its files move to other disks while it still serves.";

export const readOnly =
  "Check cable and power of the disk and plug it in anew; if it happens again, replace it. Its files are served meanwhile, new ones go elsewhere.";

export const checkCable =
  "Check or change the cable of the disk, its connector and its power supply; the disk itself may be well.";

export const doNotGive =
  "Do not give this disk to the box: what is stored there may be lost. Check its cable and power, plug it in anew, and if it is told again, use another disk.";

export const scrubAndWatch =
  "Let the disk be scrubbed, so that damaged files are healed from the other boxes. If this comes again, replace the disk.";

export const healedAndWatch =
  "The files are healed from the other boxes where those have them. If more are found, replace the disk.";

export const findTheFault =
  "Check or change the cable of the disk, and have the memory of the box tested: either may spoil what the disk gives. If neither helps, replace the disk.";

export const watchCount = "Nothing needs to be done now. If the number grows, replace the disk.";

export const watchSpeed =
  "Nothing needs to be done now. If the disk stays slow, check its cable, then have it replaced.";

export const wornOut =
  "Plan to replace the disk. It may serve for long, but its maker does not promise it any more.";

export const planReplacement = "Nothing needs to be done now. Have a new disk at hand.";

export const cool =
  "Let more air to the disk: clean or add a fan, leave room between disks, take the box out of the sun.";

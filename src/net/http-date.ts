/** Dates of HTTP (RFC 9110 §5.6.7): written in one form, read in all three, in whole seconds since 1970. Pure. */

const months = ["Jan", "Feb", "Mar", "Apr", "May", "Jun", "Jul", "Aug", "Sep", "Oct", "Nov", "Dec"];

const clockTime = "(\\d{2}):(\\d{2}):(\\d{2})";
/** `Sun, 06 Nov 1994 08:49:37 GMT` */
const fixedForm = new RegExp(`^[A-Z][a-z]{2}, (\\d{2}) ([A-Z][a-z]{2}) (\\d{4}) ${clockTime} GMT$`);
/** `Sunday, 06-Nov-94 08:49:37 GMT` */
const oldForm = new RegExp(`^[A-Z][a-z]{5,8}, (\\d{2})-([A-Z][a-z]{2})-(\\d{2}) ${clockTime} GMT$`);
/** `Sun Nov  6 08:49:37 1994` */
const asctimeForm = new RegExp(`^[A-Z][a-z]{2} ([A-Z][a-z]{2}) ([ \\d]\\d) ${clockTime} (\\d{4})$`);

/** `Sun, 06 Nov 1994 08:49:37 GMT` */
export function formatHttpDate(seconds: number): string {
  return new Date(seconds * 1000).toUTCString();
}

/**
 * Undefined for what is no date. Years of two digits are taken as at most 50 years ahead of `nowSeconds`, as the standard says.
 */
export function parseHttpDate(text: string, nowSeconds: number): number | undefined {
  const fixed = fixedForm.exec(text);
  if (fixed !== null) {
    const [, day = "", month = "", year = "", ...time] = fixed;
    return secondsOf({ year: Number(year), month, day, time });
  }
  const asctime = asctimeForm.exec(text);
  if (asctime !== null) {
    const [, month = "", day = "", hour = "", minute = "", second = "", year = ""] = asctime;
    return secondsOf({ year: Number(year), month, day, time: [hour, minute, second] });
  }
  const old = oldForm.exec(text);
  if (old === null) return undefined;
  const [, day = "", month = "", year = "", ...time] = old;
  return secondsOf({ year: fullYear(Number(year), nowSeconds), month, day, time });
}

function fullYear(twoDigits: number, nowSeconds: number): number {
  const thisYear = new Date(nowSeconds * 1000).getUTCFullYear();
  const year = thisYear - (thisYear % 100) + twoDigits;
  return year > thisYear + 50 ? year - 100 : year;
}

/** As they stand in the text. */
interface DateFields {
  readonly year: number;
  readonly month: string;
  readonly day: string;
  /** Hour, minute, second. */
  readonly time: readonly string[];
}

/** Undefined where a field is out of range, such as the 31st of February. */
function secondsOf(fields: DateFields): number | undefined {
  const month = months.indexOf(fields.month);
  const day = Number(fields.day);
  const [hour = 0, minute = 0, second = 0] = fields.time.map(Number);
  // A leap second counts as the one before it.
  const ms = Date.UTC(fields.year, month, day, hour, minute, Math.min(second, 59));
  const date = new Date(ms);
  const exact = month >= 0 && date.getUTCMonth() === month && date.getUTCDate() === day;
  return exact && hour < 24 && minute < 60 && second <= 60 ? ms / 1000 : undefined;
}

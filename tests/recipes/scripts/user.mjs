// What a script and its test say to each other: given values, addresses that the user visits, the result.
import { createInterface } from "node:readline";

const lines = createInterface({ input: process.stdin })[Symbol.asyncIterator]();

export const given = JSON.parse(process.argv[2]);

/** Let the user open an address and do what the pages ask; return the address where that ended. */
export async function visit(address) {
  console.log(JSON.stringify({ visit: String(address) }));
  return new URL(JSON.parse((await lines.next()).value));
}

export function done(result) {
  console.log(JSON.stringify(result));
  process.exit(0);
}

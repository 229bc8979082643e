// The first rows of an answer of any size: {"result":{"columns":[…],"rows":[[…],…],"meta":{…}}}, read as it arrives.

const ROW_DEPTH = 4; // answer, result, rows, row

/** Finds where the n-th row ends, over pieces of text, without building anything. */
export class RowScanner {
  #depth = 0;
  #inString = false;
  #escaped = false;
  rows = 0;

  constructor(limit) {
    this.limit = limit;
  }

  /** @returns the index after the last wanted row's end, or -1 to go on */
  scan(text) {
    for (let i = 0; i < text.length; i++) {
      const c = text.charCodeAt(i);
      if (this.#escaped) {
        this.#escaped = false;
      } else if (this.#inString) {
        if (c === 0x5c) this.#escaped = true;
        else if (c === 0x22) this.#inString = false;
      } else if (c === 0x22) {
        this.#inString = true;
      } else if (c === 0x7b || c === 0x5b) {
        this.#depth++;
      } else if (c === 0x7d || c === 0x5d) {
        if (this.#depth === ROW_DEPTH) this.rows++;
        this.#depth--;
        if (this.rows === this.limit && this.#depth === ROW_DEPTH - 1) return i + 1;
      }
    }
    return -1;
  }
}

/** A number that JavaScript's own type would round, as the server wrote it. */
export class ExactNumber {
  constructor(text) {
    this.text = text;
  }
}

/** JSON in which no number is rounded, where the browser hands out the source text. */
export function parseExactly(text) {
  return JSON.parse(text, (_, value, context) =>
    typeof value === 'number' && context?.source !== undefined && digits(String(value)) !== digits(context.source)
      ? new ExactNumber(context.source)
      : value,
  );
}

/** The digits that count, so that 1.817E7 and 18170000 are the same and 2^53 + 1 is not what JavaScript makes of it. */
function digits(number) {
  return number
    .replace(/e.*/i, '')
    .replace(/[^0-9]/g, '')
    .replace(/^0+|0+$/g, '');
}

/**
 * Reads at most `limit` rows of the response and leaves the rest unread.
 *
 * @returns {columns, rows, isCut}
 */
export async function firstRows(response, limit, mostCharacters, abort) {
  const reader = response.body.pipeThrough(new TextDecoderStream()).getReader();
  // One more than is shown tells whether there are more.
  const scanner = new RowScanner(limit + 1);
  let text = '';
  for (;;) {
    const { value, done } = await reader.read();
    if (done) break;
    const end = scanner.scan(value);
    if (end >= 0) {
      text += `${value.slice(0, end)}]}}`;
      abort();
      const { columns, rows } = parseExactly(text).result;
      return { columns, rows: rows.slice(0, limit), isCut: true };
    }
    text += value;
    if (text.length > mostCharacters) {
      abort();
      throw new Error(`The answer is too large to show: over ${Math.round(mostCharacters / 1e6)} MB in its first ${scanner.rows} rows.`);
    }
  }
  const answer = parseExactly(text);
  if (answer.error !== undefined) throw new Error(String(answer.error));
  return { ...answer.result, isCut: false };
}

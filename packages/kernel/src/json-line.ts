/**
 * A value as one line of JSON that does nothing but stand there: control characters that JSON lets pass, which some
 * terminals obey, and the line ends of Unicode are escaped.
 */
export const jsonLine = (value: unknown): string =>
  `${JSON.stringify(value).replace(/[\x7f-\x9f\u2028\u2029]/g, (character) => `\\u${character.charCodeAt(0).toString(16).padStart(4, '0')}`)}\n`

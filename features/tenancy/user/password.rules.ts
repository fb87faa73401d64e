// What is tried first: the top of published lists, and this product's own words. NIST SP 800-63B §3.1.1.2.
const COMMON = new Set(
  `password passw0rd password1 password123 p@ssw0rd p@ssword 12345678 123456789 1234567890 87654321 11111111 00000000
  qwertyui qwertyuiop qwerty123 1q2w3e4r 1qaz2wsx asdfghjk asdfghjkl zxcvbnm1 abcd1234 abc12345 a1b2c3d4 iloveyou
  sunshine princess football baseball superman trustno1 welcome1 welcome123 letmein1 changeme changeit default1
  admin123 admin1234 administrator adminadmin root1234 rootroot secret123 computer internet whatever starwars
  quarterdeck kubernetes kubernetes1 quarterdeck1 woaini1314 5201314520 qq123456 aa123456 a12345678 88888888 66666666`
    .split(/\s+/)
    .map((word) => word.toLowerCase()),
)

const lettersOf = (text: string) => text.toLowerCase().replace(/[^\p{L}]/gu, '')

/** Why this password is not accepted, as a sentence; undefined when it is. Length is the schema's matter. */
export function passwordRefusal(password: string, user: string): string | undefined {
  const plain = password.normalize('NFKC').toLowerCase()
  if (new Set(plain).size <= 2) return 'One or two characters repeated are guessed at once; choose another'
  if (COMMON.has(plain)) return 'This is among the passwords that everybody tries first; choose another'
  const letters = lettersOf(plain)
  if (plain === user.toLowerCase() || (letters !== '' && letters === lettersOf(user))) {
    return 'It is the user name with ornaments; choose another'
  }
  return undefined
}

/** How long a link to choose a password is valid. */
export const LINK_SECONDS = 3 * 24 * 3_600

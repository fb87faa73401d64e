import type { Command } from 'commander'

interface Node {
  path: string
  words: string[]
  /** Takes the name of a kind, which only the server knows. */
  kinds: boolean
}

/** Prints the names of kinds, or nothing when nobody is signed in. */
const KINDS = 'qd kinds --names 2>/dev/null'

function nodesOf(command: Command, path: string, inherited: string[]): Node[] {
  const options = [...inherited, ...command.options.flatMap((option) => (option.long ? [option.long] : []))]
  const children = command.commands.filter((child) => !child.name().startsWith('_'))
  const own = {
    path,
    words: [...new Set([...children.map((child) => child.name()), ...options])],
    kinds: command.registeredArguments.some((argument) => argument.name() === 'kind'),
  }
  return [own, ...children.flatMap((child) => nodesOf(child, `${path} ${child.name()}`, options))]
}

const cases = (nodes: Node[]) =>
  nodes
    .map(({ path, words, kinds }) => `    "${path}") words="${words.join(' ')}${kinds ? ` $(${KINDS})` : ''}" ;;`)
    .join('\n')

const BASH = (nodes: Node[]) => `# qd completion bash
_qd() {
  local path="qd" words="" word i
  for ((i = 1; i < COMP_CWORD; i++)); do
    word="\${COMP_WORDS[i]}"
    case " ${nodes.map(({ path }) => path.replaceAll(' ', '/')).join(' ')} " in
      *" \${path// //}/$word "*) path="$path $word" ;;
    esac
  done
  case "$path" in
${cases(nodes)}
  esac
  COMPREPLY=($(compgen -W "$words" -- "\${COMP_WORDS[COMP_CWORD]}"))
}
complete -o default -F _qd qd
`

const FISH = (nodes: Node[]) => {
  const lines = nodes.flatMap(({ path, words, kinds }) => {
    const [, ...given] = path.split(' ')
    const seen = given.length === 0 ? '__fish_use_subcommand' : `__fish_seen_subcommand_from ${given.at(-1)}`
    const own = words.map((word) =>
      word.startsWith('--')
        ? `complete -c qd -n '${seen}' -l ${word.slice(2)}`
        : `complete -c qd -n '${seen}' -f -a ${word}`,
    )
    return kinds ? [...own, `complete -c qd -n '${seen}' -f -a '(${KINDS})'`] : own
  })
  return `# qd completion fish\n${lines.join('\n')}\n`
}

/** A script for the shell to source, made from the commands as they are. Throws for another shell. */
export function completionScript(program: Command, shell: 'bash' | 'zsh' | 'fish'): string {
  const nodes = nodesOf(program, 'qd', [])
  if (shell === 'fish') return FISH(nodes)
  if (shell === 'bash') return BASH(nodes)
  return `#compdef qd\nautoload -U +X bashcompinit && bashcompinit\n${BASH(nodes)}`
}

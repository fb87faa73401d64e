import { setTimeout as sleep } from 'node:timers/promises'
import type { Row } from './row.ts'
import { startVictim } from './world.ts'

export const clusterRows: Row[] = [
  {
    id: 'F30',
    what: 'kill -9 of the API server while operations run: each ends once when it is back',
    rounds: 2,
    async run(world) {
      const victim = await startVictim(world)
      const stream = victim.stream()
      await sleep(world.random.between(200, 1_500))
      await world.cluster.plane.restart('kube-apiserver', { kill: true, pauseSeconds: 3 })
      await stream.done
      await victim.check(stream)
      const refused = stream.sent.filter(({ problems }) => problems.length > 0).length
      return `${stream.sent.length} deploys, ${refused} were first refused`
    },
  },
]

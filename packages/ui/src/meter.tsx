/** How full something is: a bar, and the same in words. From 85 % on it is marked. */
export function Meter({ used, all, text }: { used: number; all: number; text: string }) {
  const share = all > 0 ? Math.min(1, used / all) : 0
  return (
    <div className="meter">
      <div className={share > 0.85 ? 'bar warn' : 'bar'}>
        <i style={{ width: `${share * 100}%` }} />
      </div>
      <span className="soft small num">{text}</span>
    </div>
  )
}

package e2e

import (
	"testing"

	"github.com/ferry-ha/ferry/internal/sim/nodesim"
)

// A mirror of the disks as they are, in Japanese, in a window of 80 × 24; and a server that
// does not answer when its disks are asked for.
func TestTmuxMirrorInJapanese(t *testing.T) {
	t.Parallel()
	d := bareWorld(t, func(nodes *nodesim.World) error {
		nodes.SetMirrorSpeed(1 << 30)
		for _, n := range service {
			if err := nodes.Node(n).AddDisk(postgresDisks[n], 1<<30, ""); err != nil {
				return err
			}
		}
		return nil
	})
	w := &walk{newPane(t, 80, 24, ferry(t), "FERRY_SOCKET="+d.socket, "LANG=ja_JP.UTF-8"), d}
	w.see("OSU")
	w.press("n")
	w.see("リソースの作成")
	turned("リカバリーキット", "datakeeper")(w)
	w.press("Enter")
	w.there("依存するリソース")
	for _, n := range service[:3] {
		placed(n)(w)
	}
	w.press("Enter")
	w.there("階層タイプ")
	turned("階層タイプ", "data-only")(w)
	for _, n := range service[:3] {
		typedAt(n, "/dev/"+postgresDisks[n])(w)
	}
	at := "タグ"
	typed(at, "raw")(w)
	w.press("Enter")
	w.see("次のデータはすべて失われ", "LK_P_B", "/dev/nvme1n1", "LK_S_A", "/dev/sdb")
	w.insists("同意する場合は LK_P_A", "LK_P_A", "上書きされます")
	w.press("Enter")
	w.see("入力内容")
	w.press("Enter")
	w.see("enter で実行します")
	w.press("Enter")
	w.see("次の操作", "service/raw を作成しました")
	w.gone("エンジンからの通知待ち")
	w.gone("での状態を確認中")
	w.press("i")
	w.see("enter で実行します")
	w.press("Enter")
	w.see("は完了しました")
	w.press("Enter")
	w.gone("は完了しました")
	w.see("次の操作", "LK_P_A でサービス中")

	d.Sim().Nodes.Node("LK_S_B").PowerOff()
	w.press("e")
	w.there("ターゲットサーバー")
	w.press("Enter")
	w.see("候補を読み込めませんでした")
	w.press("Escape", "Escape", "q")
	w.see("ended with 0")
}

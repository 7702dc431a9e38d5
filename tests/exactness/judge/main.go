// The judge: what BuildKit's own parser makes of a container file.
//
// Reads JSON lines {"dockerfile": TEXT} and prints for each, in order, one line in the shape of
// fixtures/vectors/parse.jsonl: {"nodes", "escape", "warnings"}, with "typed_err" where the tree stands but its
// instructions are wrong, or {"err"}. A panic of the parser is an {"err"} that begins with "panic:".
package main

import (
	"bufio"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"os"
	"strings"

	"github.com/moby/buildkit/frontend/dockerfile/instructions"
	"github.com/moby/buildkit/frontend/dockerfile/linter"
	"github.com/moby/buildkit/frontend/dockerfile/parser"
)

type question struct {
	Dockerfile string `json:"dockerfile"`
}

type answer struct {
	Err      string `json:"err,omitempty"`
	Escape   string `json:"escape,omitempty"`
	Nodes    []node `json:"nodes,omitempty"`
	TypedErr string `json:"typed_err,omitempty"`
	Warnings *int   `json:"warnings,omitempty"`
}

type node struct {
	Args     []string  `json:"args"`
	Cmd      string    `json:"cmd"`
	End      int       `json:"end"`
	Flags    []string  `json:"flags,omitempty"`
	Heredocs []heredoc `json:"heredocs,omitempty"`
	JSON     bool      `json:"json,omitempty"`
	Original string    `json:"original"`
	Start    int       `json:"start"`
	Sub      *node     `json:"sub,omitempty"`
}

type heredoc struct {
	Chomp   bool   `json:"chomp"`
	Content string `json:"content"`
	Expand  bool   `json:"expand"`
	FD      uint   `json:"fd"`
	Name    string `json:"name"`
}

func main() {
	if err := answerAll(os.Stdin, os.Stdout); err != nil {
		fmt.Fprintln(os.Stderr, "judge:", err)
		os.Exit(1)
	}
}

// answerAll answers every line, and has each answer out before it waits for the next question.
func answerAll(in io.Reader, out io.Writer) error {
	lines := bufio.NewReader(in)
	buffered := bufio.NewWriter(out)
	encoder := json.NewEncoder(buffered)
	encoder.SetEscapeHTML(false)
	for {
		line, err := lines.ReadBytes('\n')
		if len(line) > 0 {
			var q question
			if err := json.Unmarshal(line, &q); err != nil {
				return err
			}
			if err := encoder.Encode(judge(q.Dockerfile)); err != nil {
				return err
			}
		}
		if lines.Buffered() == 0 {
			if err := buffered.Flush(); err != nil {
				return err
			}
		}
		if errors.Is(err, io.EOF) {
			return buffered.Flush()
		}
		if err != nil {
			return err
		}
	}
}

func judge(text string) (out answer) {
	defer func() {
		if panicked := recover(); panicked != nil {
			out = answer{Err: fmt.Sprint("panic: ", panicked)}
		}
	}()
	result, err := parser.Parse(strings.NewReader(text))
	if err != nil {
		return answer{Err: err.Error()}
	}
	warnings := len(result.Warnings)
	out = answer{Escape: string(result.EscapeToken), Warnings: &warnings}
	for _, child := range result.AST.Children {
		out.Nodes = append(out.Nodes, nodeOf(child))
	}
	if _, _, err := instructions.Parse(result.AST, linter.New(&linter.Config{})); err != nil {
		out.TypedErr = err.Error()
	}
	return out
}

// nodeOf lays out one instruction: its arguments hang behind it as a list, a trigger's instruction below its first.
func nodeOf(from *parser.Node) node {
	out := node{
		Args:     []string{},
		Cmd:      strings.ToLower(from.Value),
		End:      from.EndLine,
		Flags:    from.Flags,
		JSON:     from.Attributes["json"],
		Original: from.Original,
		Start:    from.StartLine,
	}
	for arg := from.Next; arg != nil; arg = arg.Next {
		if len(arg.Children) > 0 {
			sub := nodeOf(arg.Children[0])
			out.Sub = &sub
			continue
		}
		out.Args = append(out.Args, arg.Value)
	}
	for _, h := range from.Heredocs {
		out.Heredocs = append(out.Heredocs, heredoc{
			Chomp: h.Chomp, Content: h.Content, Expand: h.Expand, FD: h.FileDescriptor, Name: h.Name,
		})
	}
	return out
}

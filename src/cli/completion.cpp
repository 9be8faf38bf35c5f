// SPDX-License-Identifier: Apache-2.0
#include "cli/app.hpp"
#include "cli/output.hpp"

namespace bw::cli {
namespace {

std::string words_of(const CLI::App& command) {
  std::string words;
  for (const CLI::App* sub : command.get_subcommands([](const CLI::App*) { return true; })) {
    words += (words.empty() ? "" : " ") + sub->get_name();
  }
  for (const CLI::Option* option : command.get_options()) {
    for (const std::string& name : option->get_lnames()) words += " --" + name;
  }
  return words;
}

// One case per command, made from the very tree that parses them.
std::string bash_script(const CLI::App& root) {
  std::string cases;
  for (const CLI::App* sub : root.get_subcommands([](const CLI::App*) { return true; })) {
    cases += fmt::format("    {}) words=\"{}\" ;;\n", sub->get_name(), words_of(*sub));
  }
  return fmt::format(R"(_bw() {{
  local words="{}"
  case "${{COMP_WORDS[1]}}" in
{}  esac
  [ "$COMP_CWORD" -eq 1 ] && words="{}"
  COMPREPLY=($(compgen -W "$words" -- "${{COMP_WORDS[COMP_CWORD]}}"))
}}
complete -o default -F _bw bw)",
                     words_of(root), cases, words_of(root));
}

}  // namespace

void add_completion_verb(Verbs& verbs, const CLI::App& root) {
  verbs.add(
      "completion", "Print a completion script: source <(bw completion bash)",
      [&root](CLI::App& command) -> Verb {
        const auto shell = std::make_shared<std::string>("bash");
        command.add_option("shell", *shell, "bash or zsh")->check(CLI::IsMember({"bash", "zsh"}));
        return [shell, &root](App&) -> Result<void> {
          // zsh runs bash's completions through its own compatibility layer.
          if (*shell == "zsh") print_line("autoload -U +X bashcompinit && bashcompinit");
          print_line(bash_script(root));
          return {};
        };
      });
}

}  // namespace bw::cli

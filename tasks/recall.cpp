#include "task/recall.hpp"

namespace attnspan::tasks {

TaskEntry recall() {
  return {{.name = "recall",
           .summary = "look up values by key among many pairs: k k = v v _ ... ? k k = v v",
           .source = "arXiv 2506.16640",
           .parameters = recall_parameters()},
          [](const Arguments& arguments) { return make_recall({.task = "recall"}, arguments); }};
}

}  // namespace attnspan::tasks

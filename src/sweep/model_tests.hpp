#pragma once

#include <optional>
#include <string>
#include <vector>

#include "sweep/cell.hpp"
#include "sweep/model_folder.hpp"
#include "sweep/spec.hpp"

namespace attnspan {

/// How saved models are to be tested.
struct ModelTestRequest {
  std::vector<double> lengths;    ///< in the measure of the task that is tested; or else
  std::vector<double> multiples;  ///< of each model's training length
  std::int64_t samples = TestingOptions{}.test_samples;
  std::optional<NamedTask> task;  ///< instead of the one that each model was trained on
};

/// A saved model and a cell with nothing but its tests.
struct ModelTest {
  TrainedCell trained;
  Cell cell;
};

struct ModelTestPlan {
  SweepSpec spec;  ///< that names the cells of the models
  std::vector<ModelTest> tests;
};

/// Works out what to test of the models at these paths. On its own task a model meets the samples
/// that a sweep would test it on, validation included. On another one its row is of the task "that
/// by models of its own", and has its own in full under "trained_on" among the settings. Throws
/// FileError and InputError: for a file that is no model, two of one cell, and lengths or tokens
/// that a task or model does not take.
ModelTestPlan plan_model_tests(const std::vector<std::string>& paths,
                               const ModelTestRequest& request);

}  // namespace attnspan

{
  "targets": [
    {
      "target_name": "aiforge",
      "type": "none",
      "actions": [
        {
          "action_name": "build_addon",
          "inputs": ["CMakeLists.txt", "scripts/install.mjs"],
          "outputs": ["build/cmake/Release/aiforge.node"],
          "action": ["node", "scripts/install.mjs"]
        }
      ]
    }
  ]
}
